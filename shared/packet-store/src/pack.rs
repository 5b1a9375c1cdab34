//! Bodies packed: deflated with a preset dictionary, the member names and usual values of our items.
//!
//! DynamoDB bills whole kilobytes, twice in a transaction. HEAD of five roles is 4 KB of JSON and 1.2 KB deflated, half of
//! that being names; with the dictionary it is 0.7 KB, and every commit costs two write units less.
//!
//! ```text
//!  pack:    dictionary, body ──deflate──▶ what the dictionary comes to is dropped, what the body comes to is kept
//!  unpack:  a buffer that begins with the dictionary ◀──inflate── what was kept
//! ```

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// Never changes: what was packed with it is unpacked with it. Another dictionary is another schema number. The end is
/// HEAD's, since HEAD is written most often, and a near match costs less.
const DICTIONARY: &[u8] = include_bytes!("dictionary.txt");
/// Of deflate's nine levels, the one beyond which time rises and size hardly falls.
const LEVEL: Compression = Compression::new(7);
/// Raw deflate: a digest beside the body says whether the body is whole.
const HEADER: bool = false;
/// The most that deflate adds to what it cannot make smaller, and what room is added at a time.
const SLACK: usize = 1_024;

thread_local! {
    /// Its tables take 270 KB. To make them anew for each body is a seventh of the time of packing a HEAD.
    static PACKER: RefCell<Compress> = RefCell::new(Compress::new(LEVEL, HEADER));
}

/// The body in fewer bytes; `None` where there would be no fewer.
pub(crate) fn pack(body: &[u8]) -> Option<Vec<u8>> {
    PACKER.with_borrow_mut(|packer| {
        packer.reset();
        packer.set_dictionary(DICTIONARY).ok()?;
        let mut packed = Vec::with_capacity(body.len() + SLACK);
        let status = packer.compress_vec(body, &mut packed, FlushCompress::Finish).ok()?;
        (status == Status::StreamEnd && packed.len() < body.len()).then_some(packed)
    })
}

/// The body again.
///
/// # Errors
///
/// It is no packed body, or more than `most` bytes.
pub(crate) fn unpack(packed: &[u8], most: usize) -> Result<Vec<u8>, String> {
    let mut unpacker = Decompress::new(HEADER);
    unpacker.set_dictionary(DICTIONARY).map_err(|error| error.to_string())?;
    inflate(unpacker, packed, most)
}

/// A body that an earlier release deflated alone.
///
/// # Errors
///
/// It is not deflated, or more than `most` bytes.
pub(crate) fn unpack_alone(packed: &[u8], most: usize) -> Result<Vec<u8>, String> {
    inflate(Decompress::new(HEADER), packed, most)
}

fn inflate(mut unpacker: Decompress, packed: &[u8], most: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::with_capacity((8 * packed.len() + SLACK).min(most + 1));
    loop {
        let left = packed.get(usize::try_from(unpacker.total_in()).unwrap_or(usize::MAX)..).unwrap_or_default();
        let status = unpacker.decompress_vec(left, &mut body, FlushDecompress::Finish);
        match status.map_err(|error| error.to_string())? {
            Status::StreamEnd if body.len() <= most => return Ok(body),
            _ if body.len() > most => return Err(format!("more than {most} bytes")),
            // There is room left, so what is missing is the rest of the packed bytes.
            _ if body.len() < body.capacity() => return Err("it ends in the middle".to_owned()),
            _ => body.reserve(body.len().min(most + 1 - body.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use refresh_core::base::{digest::Digest, hex};

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

    /// As the packer of an earlier release packed it, which was another library's.
    #[test]
    fn a_body_that_an_earlier_release_packed_is_unpacked() {
        const PACKED: &str = "6d972b0e00210c444fc4867677c17206c2051095280c86bb5304a47c6c5bd34c326f4638b8f70af4873210d90149a22c1ae2442bbf951c95d873dcc371aeb3f6c23f9e2d57f5ac0ea8d12860dddf00ffee6e7269a6cfd506";
        let packed: [u8; 88] = hex::read(PACKED).expect("hexadecimal digits");
        let body = concat!(
            r#"{"review":"RR-1042","version":7,"attendees":{"release_manager":"rm@example.com","#,
            r#""security_reviewer":"sec@example.com"},"#,
            r#""slot":{"start":"2026-11-03T15:00:00Z","end":"2026-11-03T16:00:00Z"}}"#,
        );
        assert_eq!(unpack(&packed, MOST).as_deref(), Ok(body.as_bytes()));
    }

    /// Nothing of one body is left for the next, whatever became of the one.
    #[test]
    fn a_body_is_packed_to_the_same_bytes_whatever_was_packed_before() {
        let body = "\"member\":\"value\",".repeat(60);
        let first = std::thread::scope(|scope| scope.spawn(|| pack(body.as_bytes())).join().expect("no panic"));
        for before in [&b""[..], b"no fewer", body.as_bytes(), &[b'x'; 100_000]] {
            pack(before);
            assert_eq!(pack(body.as_bytes()), first);
        }
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
