//! What remains of what became no event. A receipt is kept in the store, so that nothing that came in vanishes: what became
//! of it, why, where it came in and when, and never what stood in it: beside the paths of what is wrong only the name by which
//! the source calls the record.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use decisions::Doing;
use lambda_shell::Failure;
use packet_store::{Door, Receipt, Store, Unheard};
use refresh_core::{Instant, facts::event::Event};
use sources::{Addressed, Refused, SkippedPart};

/// Bindings whose unproven senders are remembered within one hour: those of a policy, and the unknown ones as one.
const MOST_REMEMBERED: usize = 2_000;
const HOUR: i64 = 3_600_000;

/// Something that was received in one piece: a message, or the body of a request.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// All of it.
    pub body: &'a str,
    /// Where it came in.
    pub door: Door,
    /// When it came in: of a message that comes again, the same instant.
    pub at: Instant,
}

impl Piece<'_> {
    fn receipt(&self, became: Unheard) -> Receipt {
        let Addressed { format, binding } = Addressed::of(self.body);
        Receipt {
            became,
            door: self.door,
            form: format,
            binding,
            source: None,
            id: None,
            reasons: Vec::new(),
            count: 0,
            digest: Receipt::digest_of(self.body.as_bytes()),
            at: self.at,
        }
    }

    /// Receipts of the parts that were skipped: one of those that nothing is bound to, one of the others.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn keep_skipped(&self, store: &Store, parts: &[SkippedPart]) -> Result<(), Failure> {
        for (became, unbound) in [(Unheard::Skipped, false), (Unheard::Unbound, true)] {
            let reasons = || parts.iter().filter(move |part| part.unbound == unbound).map(|part| part.why.clone());
            if reasons().next().is_some() {
                let receipt = self.receipt(became).because(reasons());
                store.keep(&receipt).await.doing("keeping the receipt of a payload")?;
            }
        }
        Ok(())
    }

    /// The receipt of what was refused; none where nothing was.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn keep_refused<'r>(
        &self,
        store: &Store,
        refused: impl Iterator<Item = &'r Refused> + Clone,
    ) -> Result<(), Failure> {
        let mut each = refused.clone();
        let Some(first) = each.next() else { return Ok(()) };
        // Of a good payload, which is nearly every one, no digest is taken.
        let mut receipt = self.receipt(Unheard::Refused);
        // A piece is one event, or the payload of one binding.
        receipt.source = refused.clone().find_map(Refused::source).map(|source| source.as_str().to_owned());
        if let Some(origin) = refused.clone().find_map(|one| one.origin.as_deref()) {
            receipt.form = receipt.form.or_else(|| origin.format.map(str::to_owned));
            receipt.binding = receipt.binding.or_else(|| origin.binding.clone());
        }
        if each.next().is_none() {
            receipt.id = first.identity.as_ref().map(|identity| identity.id.as_str().to_owned());
            receipt.form = receipt.form.or_else(|| first.event_type.as_deref().map(str::to_owned));
        }
        let lines: Vec<String> = refused.flat_map(Refused::reasons).collect();
        let receipt = receipt.because(lines);
        store.keep(&receipt).await.doing("keeping the receipt of what was refused")
    }

    fn receipt_of(&self, event: &Event, unheard: Unheard) -> Receipt {
        Receipt {
            source: Some(event.identity.source.as_str().to_owned()),
            id: Some(event.identity.id.as_str().to_owned()),
            form: Some(event.event_type.clone()),
            digest: event.digest,
            ..self.receipt(unheard)
        }
    }

    /// The receipt of an event whose sender may not speak for its source.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn keep_barred(&self, store: &Store, event: &Event, sender: &str) -> Result<(), Failure> {
        let receipt = self
            .receipt_of(event, Unheard::Barred)
            .because([format!("sent by {sender}; the policy binds the source to another `sender`")]);
        store.keep(&receipt).await.doing("keeping the receipt of an event of a barred sender")
    }

    /// The receipt of an event that came before. A delivery of the very message that brought the event is no new one.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn keep_duplicate(&self, store: &Store, event: &Event, first: Instant) -> Result<(), Failure> {
        // The id of a translated event is its content's: a system that is polled says the same all day, and is heard.
        if self.at <= first || Addressed::of(self.body).format.is_some() {
            return Ok(());
        }
        let receipt = self
            .receipt_of(event, Unheard::Duplicate)
            .because([format!("an event with this source and id was recorded at {first}")]);
        store.keep(&receipt).await.doing("keeping the receipt of a duplicate")
    }
}

/// Who proves nothing may post without end; of these one receipt an hour is kept for each binding and reason.
#[derive(Clone, Debug, Default)]
pub struct HourlyReceipts(Arc<Mutex<BTreeMap<String, i64>>>);

impl HourlyReceipts {
    /// The receipt to keep, where this hour has none yet that this process knows of. Its instant is the real one: at the
    /// hour's beginning, whoever looks for what failed just now would not find the receipt. So each process keeps its own.
    pub fn receipt(&self, binding: Option<&str>, became: Unheard, why: String, now: Instant) -> Option<Receipt> {
        let hour = now.millis().div_euclid(HOUR) * HOUR;
        let name = format!("{}/{}", binding.unwrap_or_default(), if binding.is_some() { why.as_str() } else { "" });
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, of| *of == hour);
        if known.len() >= MOST_REMEMBERED || known.insert(name.clone(), hour).is_some() {
            return None;
        }
        let receipt = Receipt {
            became,
            door: Door::Hook,
            form: None,
            binding: binding.map(str::to_owned),
            source: None,
            id: None,
            reasons: Vec::new(),
            count: 0,
            digest: Receipt::digest_of(name.as_bytes()),
            at: now,
        };
        Some(receipt.because([why, "more until the next full hour are not listed".to_owned()]))
    }
}
