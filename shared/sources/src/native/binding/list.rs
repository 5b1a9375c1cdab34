//! The bindings of a deployment, and which of them may speak of a payload.

use serde_json::Value;

use super::{door::NamedBinding, format::Format, says::Binding};
use crate::fault::{Fault, PayloadOrigin, describe};

/// Every binding of a deployment.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Bindings(pub Vec<NamedBinding>);

impl Bindings {
    /// The binding of that name.
    pub fn named(&self, name: &str) -> Option<&NamedBinding> {
        self.0.iter().find(|bound| bound.name.as_deref() == Some(name))
    }

    /// The bindings whose system is asked at intervals.
    pub fn polled(&self) -> impl Iterator<Item = &NamedBinding> {
        self.0.iter().filter(|bound| bound.poll.is_some())
    }

    /// The bindings that may speak of a payload: the one that is named, else all of the format.
    ///
    /// # Errors
    /// No binding of the format has the name; or none is named, and the payloads of the format do not say which of
    /// several bindings is meant.
    pub fn candidates(&self, format: Format, name: Option<&str>) -> Result<Vec<&Binding>, Fault> {
        let of_format = || self.0.iter().filter(|bound| bound.binding.format == format);
        let known = || of_format().filter_map(|bound| bound.name.as_deref()).collect::<Vec<_>>().join(", ");
        match name {
            Some(name) => match self.named(name) {
                Some(bound) if bound.binding.format == format => Ok(vec![&bound.binding]),
                _ => {
                    let expected = format!("the name of a binding for {} (known: {})", format.word(), known());
                    Err(Fault::new("$.binding", expected, describe(&Value::from(name))))
                }
            },
            // Nothing in such a payload says which of several it is for: a guess could take one system's word for another's.
            None if !format.tells_its_origin() && of_format().nth(1).is_some() => {
                Err(Fault::new("$.binding", format!("the name of one of the bindings: {}", known()), "nothing"))
            }
            None => Ok(of_format().map(|bound| &bound.binding).collect()),
        }
    }

    /// Where a payload is from: what all bindings say alike that may speak of it.
    pub fn origin(&self, format: Format, name: Option<&str>) -> PayloadOrigin {
        let speaks = |bound: &&NamedBinding| {
            bound.binding.format == format && name.is_none_or(|name| bound.name.as_deref() == Some(name))
        };
        let bound: Vec<&NamedBinding> = self.0.iter().filter(speaks).collect();
        let first = bound.first().map(|bound| &bound.binding.source);
        let source = first.filter(|first| bound.iter().all(|bound| bound.binding.source == **first)).cloned();
        let binding = if let [one] = &bound[..] { one.name.clone() } else { None };
        PayloadOrigin { format: Some(format.word()), binding, source, record: None }
    }
}
