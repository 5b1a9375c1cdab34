//! Bodies packed: deflated with a preset dictionary, the member names and usual values of our items.
//!
//! DynamoDB bills whole kilobytes, twice in a transaction. HEAD of five roles is 4 KB of JSON and 1.2 KB deflated, half of
//! that being names; with the dictionary it is 0.7 KB, and every commit costs two write units less.
//!
//! ```text
//!  pack:    dictionary, body ──deflate──▶ what the dictionary comes to is dropped, what the body comes to is kept
//!  unpack:  a buffer that begins with the dictionary ◀──inflate── what was kept
//! ```

use std::sync::LazyLock;

use miniz_oxide::{
    deflate::core::{CompressorOxide, TDEFLFlush, TDEFLStatus, compress, create_comp_flags_from_zip_params},
    inflate::{
        TINFLStatus,
        core::{DecompressorOxide, decompress, inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF},
    },
};

/// Never changes: what was packed with it is unpacked with it. Another dictionary is another schema number. The end is
/// HEAD's, since HEAD is written most often, and a near match costs less.
const DICTIONARY: &[u8] = include_bytes!("dictionary.txt");
/// Of deflate's ten levels, the one beyond which time rises and size hardly falls.
const LEVEL: i32 = 6;
/// Raw deflate, without a header.
const RAW: i32 = -15;
/// The most that deflate adds to what it cannot make smaller, and its own beginning and end.
const SLACK: usize = 1_024;

/// A packer that has read the dictionary. Each body is packed by a copy.
static READY: LazyLock<CompressorOxide> = LazyLock::new(|| {
    let mut packer = CompressorOxide::new(create_comp_flags_from_zip_params(LEVEL, RAW, 0));
    // Flushed to a whole byte, so that what follows can stand alone.
    let (status, read, _) = compress(&mut packer, DICTIONARY, &mut [0; 2 * SLACK + DICTIONARY.len()], TDEFLFlush::Sync);
    debug_assert!(status == TDEFLStatus::Okay && read == DICTIONARY.len(), "the dictionary was read");
    packer
});

/// The body in fewer bytes; `None` where there would be no fewer.
pub(crate) fn pack(body: &[u8]) -> Option<Vec<u8>> {
    let mut packed = vec![0; body.len() + SLACK];
    let mut packer = READY.clone();
    let (status, _, length) = compress(&mut packer, body, &mut packed, TDEFLFlush::Finish);
    packed.truncate(length);
    (status == TDEFLStatus::Done && length < body.len()).then_some(packed)
}

/// The body again.
///
/// # Errors
///
/// It is no packed body, or more than `most` bytes.
pub(crate) fn unpack(packed: &[u8], most: usize) -> Result<Vec<u8>, String> {
    let mut found = DICTIONARY.to_vec();
    let (mut left, mut end) = (packed, found.len());
    let mut unpacker = Box::<DecompressorOxide>::default();
    loop {
        let room = (2 * found.len()).clamp(end + SLACK, DICTIONARY.len() + most);
        found.resize(room, 0);
        let (status, read, written) =
            decompress(&mut unpacker, left, &mut found, end, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF);
        end += written;
        match status {
            TINFLStatus::Done => {
                found.truncate(end);
                return Ok(found.split_off(DICTIONARY.len()));
            }
            TINFLStatus::HasMoreOutput if room < DICTIONARY.len() + most => left = left.get(read..).unwrap_or_default(),
            TINFLStatus::HasMoreOutput => return Err(format!("more than {most} bytes")),
            status => return Err(format!("{status:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use refresh_core::base::digest::Digest;

    use super::*;

    const MOST: usize = 1 << 20;

    /// What is stored was packed with this dictionary.
    #[test]
    fn the_dictionary_is_the_one_of_schema_2() {
        let found = Digest::of_bytes("dictionary", DICTIONARY).to_string();
        assert_eq!(
            found, "c20cbb4ec3da7ef2b6d1f66e7acdc4c90174b69cd2a3097347e0c7e2c966bf97",
            "another dictionary is another schema number"
        );
    }

    #[test]
    fn a_body_is_unpacked_as_it_was() {
        let words = |count: usize| (0..count).map(|n| format!("\"member_{n}\":{n},")).collect::<String>();
        for count in [40, 400, 40_000] {
            let body = words(count);
            let packed = pack(body.as_bytes()).expect("it becomes smaller");
            assert_eq!(unpack(&packed, MOST).as_deref(), Ok(body.as_bytes()), "{count} words");
        }
        assert_eq!(unpack(&pack(DICTIONARY).expect("smaller"), MOST).as_deref(), Ok(DICTIONARY));
        assert!(pack(DICTIONARY).is_some_and(|packed| packed.len() < 60), "the dictionary packs to next to nothing");
    }

    #[test]
    fn what_does_not_become_smaller_is_not_packed() {
        let mut random = fastrand::Rng::with_seed(1);
        let bytes: Vec<u8> = (0..2_000).map(|_| random.u8(..)).collect();
        assert_eq!(pack(&bytes), None);
    }

    #[test]
    fn nothing_is_unpacked_without_end_or_from_nonsense() {
        let bomb = pack(&vec![b' '; MOST + 1]).expect("smaller");
        assert_eq!(unpack(&bomb, MOST), Err(format!("more than {MOST} bytes")));
        for nonsense in [&b""[..], b"\x07", &[0xff; 40], &bomb[..bomb.len() / 2]] {
            assert!(unpack(nonsense, MOST).is_err(), "{nonsense:?}");
        }
    }
}
