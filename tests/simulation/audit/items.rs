//! What is stored, read by hand: attributes as the wire has them, the body unpacked, the digest recomputed. Nothing of
//! this comes from the crate that writes it.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What packed bodies refer back to: a constant of the format.
const DICTIONARY: &[u8] = include_bytes!("../../../shared/packet-store/src/dictionary.txt");

#[derive(Clone, PartialEq, Debug)]
pub struct Item {
    pub attributes: Value,
    /// The body's bytes, unpacked.
    pub bytes: Vec<u8>,
    pub body: Value,
}

/// SHA-256 over parts, each with its length before it.
pub fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).filter_map(|at| u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()).collect()
}

/// What covers an item: name, type and value of each attribute but itself and those that come and go beside it.
pub fn seal_of(attributes: &Value) -> [u8; 32] {
    let mut parts: Vec<Vec<u8>> = vec![b"item".to_vec()];
    for (name, value) in attributes.as_object().into_iter().flatten() {
        if name == "digest" || name.starts_with("claim_") || name.starts_with("delivery") {
            continue;
        }
        let Some((kind, value)) = value.as_object().and_then(|typed| typed.iter().next()) else { continue };
        let text = value.as_str().unwrap_or_default();
        let bytes = if kind == "B" { STANDARD.decode(text).unwrap_or_default() } else { text.as_bytes().to_vec() };
        parts.extend([name.as_bytes().to_vec(), kind.as_bytes().to_vec(), bytes]);
    }
    digest(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// The body's bytes: as they are, or inflated.
pub fn body_of(attributes: &Value) -> Result<Vec<u8>, String> {
    let body = &attributes["body"];
    if let Some(text) = body["S"].as_str() {
        return Ok(text.as_bytes().to_vec());
    }
    let Some(packed) = body["B"].as_str() else { return Ok(Vec::new()) };
    let packed = STANDARD.decode(packed).map_err(|error| error.to_string())?;
    if attributes["schema"]["N"] == "1" {
        return miniz_oxide::inflate::decompress_to_vec(&packed).map_err(|error| error.to_string());
    }
    // A stored block, as raw deflate has it, before the body's own: what is inflated begins with the dictionary.
    let length = u16::try_from(DICTIONARY.len()).map_err(|error| error.to_string())?;
    let block = [&[0][..], &length.to_le_bytes(), &(!length).to_le_bytes(), DICTIONARY, &packed].concat();
    let whole = miniz_oxide::inflate::decompress_to_vec(&block).map_err(|error| error.to_string())?;
    Ok(whole[DICTIONARY.len()..].to_vec())
}

impl Item {
    pub fn read(attributes: Value) -> Result<Self, String> {
        let name = format!("{} {}", attributes["pk"]["S"], attributes["sk"]["S"]);
        let bytes = body_of(&attributes).map_err(|why| format!("{name}: {why}"))?;
        if bytes.is_empty() {
            return Ok(Self { attributes, bytes, body: Value::Null });
        }
        if attributes["digest"]["B"].as_str() != Some(STANDARD.encode(seal_of(&attributes)).as_str()) {
            return Err(format!("{name}: what is stored does not fit its digest"));
        }
        let body = serde_json::from_slice(&bytes).map_err(|error| format!("{name}: {error}"))?;
        Ok(Self { attributes, bytes, body })
    }

    pub fn number(&self, name: &str) -> Option<i64> {
        self.attributes[name]["N"].as_str()?.parse().ok()
    }
}
