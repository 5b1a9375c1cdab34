//! Signed links: who may do what with which thing, until when. Nothing in a token is secret; nothing can be changed.
//!
//! ```text
//! layout 1 | key id 1 | purpose 1 | review 16 | person 16 | subject 16 | expires at 8 | nonce 8 | tag 16            = 83
//! layout 2, where the mail goes on a trace:               ...   | expires at 8 | nonce 8 | trace 16 | tag 16             = 99
//! ```
//! base64url without padding: 111 or 132 characters. The names are hashes, so that a link in a proxy's log names nobody.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use refresh_core::{
    Instant, TraceId,
    base::{
        digest::Digest,
        fingerprint::{PersonFingerprint, ProposalFingerprint, ReviewFingerprint, RowFingerprint},
    },
};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Layouts other than these are refused. Each has one length.
const PLAIN: u8 = 1;
const TRACED: u8 = 2;
/// A form's seal has a layout of its own.
const SEAL: u8 = 1;
const TAG: usize = 16;
const SIGNED: usize = 3 + 16 + 16 + 16 + 8 + 8;
const TRACE: usize = 16;
/// Characters of a token in a URL, without a trace and with one.
pub const TOKEN_LENGTHS: [usize; 2] = [in_base64(SIGNED + TAG), in_base64(SIGNED + TRACE + TAG)];
const _: () = assert!(TOKEN_LENGTHS[1] < 160, "mail clients break longer links");

const fn in_base64(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4 - (3 - bytes % 3) % 3
}

/// What a link lets its reader do. Purposes never stand in for each other: each has a key of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Purpose {
    /// Decide a proposal.
    Adopt,
    /// Answer to a row.
    Acknowledge,
    /// Read a review's workspace.
    Workspace,
}

impl Purpose {
    /// Every purpose, once.
    pub const ALL: [Self; 3] = [Self::Adopt, Self::Acknowledge, Self::Workspace];

    const fn byte(self) -> u8 {
        match self {
            Self::Adopt => 1,
            Self::Acknowledge => 2,
            Self::Workspace => 3,
        }
    }

    fn of(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.byte() == byte)
    }

    /// The first segment of the page's path.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Adopt => "adopt",
            Self::Acknowledge => "acknowledge",
            Self::Workspace => "reviews",
        }
    }
}

/// What a link is about. A workspace is the review's, so the sixteen bytes are zeros there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkSubject {
    /// The proposal to decide.
    Proposal(ProposalFingerprint),
    /// The row to answer to.
    Row(RowFingerprint),
    /// The review's workspace.
    Workspace,
}

impl LinkSubject {
    /// What a link about this lets its reader do.
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::Proposal(_) => Purpose::Adopt,
            Self::Row(_) => Purpose::Acknowledge,
            Self::Workspace => Purpose::Workspace,
        }
    }

    const fn read(purpose: Purpose, bytes: [u8; 16]) -> Self {
        match purpose {
            Purpose::Adopt => Self::Proposal(ProposalFingerprint::from_bytes(bytes)),
            Purpose::Acknowledge => Self::Row(RowFingerprint::from_bytes(bytes)),
            Purpose::Workspace => Self::Workspace,
        }
    }

    /// The sixteen bytes that stand for the subject in a token and in the state of a form.
    pub const fn bytes(self) -> [u8; 16] {
        match self {
            Self::Proposal(proposal) => proposal.bytes(),
            Self::Row(row) => row.bytes(),
            Self::Workspace => [0; 16],
        }
    }
}

/// What a token says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Token {
    /// The review that the link belongs to.
    pub review: ReviewFingerprint,
    /// The person that the link was mailed to.
    pub person: PersonFingerprint,
    /// What the link is about.
    pub subject: LinkSubject,
    /// From this instant on the link is expired.
    pub expires_at: Instant,
    /// What the mail went on: the click goes on it too.
    pub trace: Option<TraceId>,
}

impl Token {
    /// What the link lets its reader do.
    pub const fn purpose(&self) -> Purpose {
        self.subject.purpose()
    }

    /// The proposal that the link decides; `None` for a link of another purpose.
    pub const fn proposal(&self) -> Option<ProposalFingerprint> {
        match self.subject {
            LinkSubject::Proposal(proposal) => Some(proposal),
            LinkSubject::Row(_) | LinkSubject::Workspace => None,
        }
    }

    /// The row that the link answers to; `None` for a link of another purpose.
    pub const fn row(&self) -> Option<RowFingerprint> {
        match self.subject {
            LinkSubject::Row(row) => Some(row),
            LinkSubject::Proposal(_) | LinkSubject::Workspace => None,
        }
    }
}

/// Why a link does not open. Everything but [`Refusal::Expired`] gets the page that says nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Not a token of this layout in its one spelling.
    Unreadable,
    /// No live key made it, or for another purpose.
    Forged,
    /// Genuine, and past its instant: its reader may be told so.
    Expired(Token),
}

/// The live keys: the first signs, all open. Two at most, for the time of a rotation.
#[derive(Clone)]
pub struct Keys(Vec<(u8, [u8; 32])>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids: Vec<u8> = self.0.iter().map(|(id, _)| *id).collect();
        write!(f, "Keys{ids:?}")
    }
}

impl Keys {
    /// What a setting with keys must be.
    pub const EXPECTED: &str = "one or two keys as <id>:<base64url of 32 bytes>";

    /// Reads `<key id>:<base64url of 32 bytes>`, one or two, separated by a comma. Errors never repeat a key.
    ///
    /// # Errors
    ///
    /// Which key is wrong, and what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut keys: Vec<(u8, [u8; 32])> = Vec::new();
        for (position, entry) in text.split(',').enumerate() {
            let expected =
                |what: &str| format!("link key {}: expected <key id>:<base64url of 32 bytes>; {what}", position + 1);
            let (id, key) = entry.trim().split_once(':').ok_or_else(|| expected("there is no colon"))?;
            let id: u8 = id.parse().map_err(|_| expected("the key id is not a number from 0 to 255"))?;
            let key = URL_SAFE_NO_PAD.decode(key).map_err(|_| expected("the key is not unpadded base64url"))?;
            let length = key.len();
            let key: [u8; 32] = key.try_into().map_err(|_| expected(&format!("the key has {length} bytes")))?;
            if key == [0; 32] {
                return Err(expected("the key is all zeros"));
            }
            if keys.iter().any(|(known, _)| *known == id) {
                return Err(expected(&format!("key id {id} stands there twice")));
            }
            keys.push((id, key));
        }
        if keys.len() > 2 {
            return Err(format!("link keys: expected one or two; found {}", keys.len()));
        }
        Ok(Self(keys))
    }

    /// The list after a rotation: a new first key, the one that signed until now second. `key` comes from the
    /// operating system's random numbers; this crate has none of its own.
    pub fn rotate(&self, key: [u8; 32]) -> String {
        let id = (0..=u8::MAX).map(|step| self.0[0].0.wrapping_add(1).wrapping_add(step));
        let free = id.into_iter().find(|id| self.0.iter().all(|(known, _)| known != id)).unwrap_or(0);
        let (old, secret) = &self.0[0];
        format!("{free}:{},{old}:{}", URL_SAFE_NO_PAD.encode(key), URL_SAFE_NO_PAD.encode(secret))
    }

    fn signing(&self) -> (u8, &[u8; 32]) {
        // `parse` yields at least one: splitting never gives nothing.
        (self.0[0].0, &self.0[0].1)
    }

    fn get(&self, id: u8) -> Option<&[u8; 32]> {
        self.0.iter().find(|(known, _)| *known == id).map(|(_, key)| key)
    }
}

/// HMAC-SHA-256 under a key derived for `label`, so that no tag of one use is a tag of another.
fn tag(root: &[u8; 32], label: &[u8], message: &[&[u8]]) -> [u8; TAG] {
    let mac = |key: &[u8]| Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    let derived = mac(root).chain_update(b"holdpoint ").chain_update(label).finalize().into_bytes();
    let full = message.iter().fold(mac(&derived), |mac, part| mac.chain_update(part)).finalize().into_bytes();
    let mut first = [0; TAG];
    first.copy_from_slice(&full[..TAG]);
    first
}

fn token_tag(root: &[u8; 32], purpose: Purpose, signed: &[u8]) -> [u8; TAG] {
    tag(root, &[b"link ", purpose.path().as_bytes()].concat(), &[signed])
}

/// What sets the links of two tellings about one thing apart. It follows from the telling, so that a mail made twice
/// holds one link; nobody without the key can foretell it.
pub fn nonce(token: &Token, keys: &Keys, told_at: Instant) -> [u8; 8] {
    let (_, root) = keys.signing();
    let trace: Vec<u8> = token.trace.into_iter().flat_map(TraceId::bytes).collect();
    let parts: [&[u8]; 6] = [
        &token.review.bytes(),
        &token.person.bytes(),
        &token.subject.bytes(),
        &token.expires_at.millis().to_be_bytes(),
        &told_at.millis().to_be_bytes(),
        &trace,
    ];
    let tag = tag(root, &[b"nonce ", token.purpose().path().as_bytes()].concat(), &parts);
    std::array::from_fn(|at| tag[at])
}

/// Signs with the first key. The nonce sets two mails about one thing apart; it comes from the caller.
pub fn sign(token: &Token, keys: &Keys, nonce: [u8; 8]) -> String {
    let (id, root) = keys.signing();
    let mut bytes = Vec::with_capacity(SIGNED + TRACE + TAG);
    let layout = if token.trace.is_some() { TRACED } else { PLAIN };
    bytes.extend([layout, id, token.purpose().byte()]);
    bytes.extend(token.review.bytes());
    bytes.extend(token.person.bytes());
    bytes.extend(token.subject.bytes());
    bytes.extend(token.expires_at.millis().to_be_bytes());
    bytes.extend(nonce);
    bytes.extend(token.trace.into_iter().flat_map(TraceId::bytes));
    let tag = token_tag(root, token.purpose(), &bytes);
    bytes.extend(tag);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Opens a token for one purpose. Nothing of it is looked at before its tag is found good, but what chooses the key.
///
/// # Errors
///
/// Why the link does not open. Whoever asks for another purpose than the link's gets [`Refusal::Forged`].
pub fn open(text: &str, keys: &Keys, purpose: Purpose, now: Instant) -> Result<Token, Refusal> {
    // The engine refuses padding, other alphabets and stray last bits: one token has one spelling.
    if !TOKEN_LENGTHS.contains(&text.len()) {
        return Err(Refusal::Unreadable);
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::Unreadable)?;
    let signed = bytes.len() - TAG;
    if !matches!((bytes[0], signed.checked_sub(SIGNED)), (PLAIN, Some(0)) | (TRACED, Some(TRACE))) {
        return Err(Refusal::Unreadable);
    }
    let (signed, claimed) = bytes.split_at(signed);
    let root = keys.get(signed[1]).ok_or(Refusal::Forged)?;
    // Computed for the purpose asked for, not the one the token claims: an answer's link never decides.
    let good = token_tag(root, purpose, signed).ct_eq(claimed);
    if !bool::from(good) || Purpose::of(signed[2]) != Some(purpose) {
        return Err(Refusal::Forged);
    }
    let part = |from: usize| -> [u8; 16] { signed[from..from + 16].try_into().expect("the layout's own length") };
    let expires_at = i64::from_be_bytes(signed[51..59].try_into().expect("the layout's own length"));
    // Layout 1 ends here; a trace of zeros is none of ours and is none.
    let trace = (signed.len() > SIGNED).then(|| TraceId::from_bytes(part(SIGNED))).flatten();
    let token = Token {
        trace,
        review: ReviewFingerprint::from_bytes(part(3)),
        person: PersonFingerprint::from_bytes(part(19)),
        subject: LinkSubject::read(purpose, part(35)),
        expires_at: Instant::from_millis(expires_at),
    };
    if now >= token.expires_at { Err(Refusal::Expired(token)) } else { Ok(token) }
}

/// The link of a mail. `base` is configuration (`https://host`), never a request's Host header.
pub fn url(base: &str, purpose: Purpose, token: &str) -> String {
    format!("{}{}", base.trim_end_matches('/'), path(purpose, token))
}

/// The same within its host.
pub fn path(purpose: Purpose, token: &str) -> String {
    format!("/{}/{token}", purpose.path())
}

/// A form's seal: proof that this page, for this link, was rendered by us, when, and from what state.
///
/// ```text
/// version 1 | key id 1 | rendered at 8 | state 16 | tag 16   = 42 bytes, 56 characters
/// ```
pub fn form_seal(keys: &Keys, token: &str, state: &Digest, rendered_at: Instant) -> String {
    let (id, root) = keys.signing();
    let mut bytes = vec![SEAL, id];
    bytes.extend(rendered_at.millis().to_be_bytes());
    bytes.extend(state.first_half());
    let tag = seal_tag(root, token, &bytes);
    bytes.extend(tag);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn seal_tag(root: &[u8; 32], token: &str, sealed: &[u8]) -> [u8; TAG] {
    tag(root, b"form", &[&(token.len() as u64).to_be_bytes(), token.as_bytes(), sealed])
}

/// How long a rendered page may be sent in: a working day and the night before it.
pub const SEAL_LIFETIME_HOURS: i64 = 24;
/// Two machines' clocks: a seal from a little ahead is still a seal.
const SKEW_MINUTES: i64 = 5;

/// Why a form is not accepted as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SealRefusal {
    /// Missing, unreadable, or not made by us for this link: a robot, or another site's form.
    Forged,
    /// Made by us too long ago.
    TooOld {
        /// When the page was rendered.
        rendered_at: Instant,
    },
    /// Made by us from another state: what the reader saw is not what is.
    OtherState {
        /// When the page was rendered.
        rendered_at: Instant,
    },
}

/// Checks a seal against the link it was sent with and the state as it is now. Returns when the page was rendered.
///
/// # Errors
///
/// Why the form is not accepted as it is.
pub fn form_check(seal: &str, keys: &Keys, token: &str, state: &Digest, now: Instant) -> Result<Instant, SealRefusal> {
    let bytes = URL_SAFE_NO_PAD.decode(seal).map_err(|_| SealRefusal::Forged)?;
    if bytes.len() != 26 + TAG || bytes[0] != SEAL {
        return Err(SealRefusal::Forged);
    }
    let (sealed, claimed) = bytes.split_at(26);
    let root = keys.get(sealed[1]).ok_or(SealRefusal::Forged)?;
    if !bool::from(seal_tag(root, token, sealed).ct_eq(claimed)) {
        return Err(SealRefusal::Forged);
    }
    let millis = i64::from_be_bytes(sealed[2..10].try_into().expect("the layout's own length"));
    let rendered_at = Instant::from_millis(millis);
    if rendered_at > now.plus_minutes(SKEW_MINUTES) {
        return Err(SealRefusal::Forged);
    }
    if now >= rendered_at.plus_minutes(SEAL_LIFETIME_HOURS * 60) {
        return Err(SealRefusal::TooOld { rendered_at });
    }
    if sealed[10..26] != state.first_half() {
        return Err(SealRefusal::OtherState { rendered_at });
    }
    Ok(rendered_at)
}
