//! The policy's optional `native` list: what native payloads cannot say themselves. Here what it can say;
//! [`read`](self::read()) reads it, once, at start, strictly.

mod apart;
mod conditions;
mod door;
mod feeds;
mod format;
mod list;
mod member;
mod people;
mod poll;
mod read;
mod runs;
mod says;
mod subjects;
pub mod system;

pub use apart::registered;
pub use door::{Hook, NamedBinding, PollTarget, Proof};
pub use format::Format;
pub use list::Bindings;
pub use people::{People, folded};
pub use read::read;
pub use says::{
    Authserv, Binding, BoundChange, CdEvents, CdRun, ChangeColumns, EvidenceBinding, FreezeSchedule, GroupRole, Jira,
    Oncall, Pattern, Poll, ReplyBinding, Roster, RunBinding, Says, Servicenow, ServicenowDelegates,
    ServicenowSchedules,
};
pub use subjects::heard;
