//! What became of mails, proposals, answers and reviews.

use refresh_core::record::{
    answer::Reply, delivery::DeliveryStatus, lineage::Action, proposal::Fate, review::Standing,
};

/// What the mailer says became of a mail.
pub fn delivery(status: &DeliveryStatus) -> &'static str {
    match status {
        DeliveryStatus::Delayed => "delayed; the mailer still tries",
        DeliveryStatus::BouncedForNow => "came back for now",
        DeliveryStatus::Delivered => "delivered",
        DeliveryStatus::Unmailable { .. } => "not sent: it could not be made",
        DeliveryStatus::Rejected { .. } => "refused by the mailer",
        DeliveryStatus::Suppressed => "not tried: mail to this address came back before",
        DeliveryStatus::Bounced => "came back for good",
        DeliveryStatus::Complained => "reported as unwanted",
    }
}

/// What an attendee answered.
pub const fn reply(reply: Reply) -> &'static str {
    match reply {
        Reply::Acknowledged => "acknowledged",
        Reply::Conflict => "reported a conflict",
    }
}

/// What became of a proposal.
pub const fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Adopted => "adopted",
        Fate::DeclinedOtherSlot => "declined, to look for another slot",
        Fate::DeclinedStand => "declined, to stand by the present meeting",
        Fate::Superseded => "superseded by another proposal",
        Fate::Withdrawn => "withdrawn",
        Fate::Expired => "expired undecided",
    }
}

/// Whether a review is still coordinated.
pub const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Open => "open",
        Standing::Started => "started",
        Standing::Closed => "closed",
        Standing::Cancelled => "cancelled",
    }
}

/// What somebody did through a link.
pub const fn action(action: Action) -> &'static str {
    match action {
        Action::Adopt => "adopting",
        Action::Decline => "declining",
        Action::Acknowledge => "answering",
        Action::Open => "opening the page",
        Action::AskAgain => "asking for it again",
        Action::SendLink => "asking for the present link",
        Action::Reply => "replying by mail",
        Action::Close => "closing the review",
        Action::Resend => "asking for one more mail",
    }
}
