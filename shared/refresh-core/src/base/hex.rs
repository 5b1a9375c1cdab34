//! Bytes as hexadecimal digits, in lower case, and back: the one place where that is spelled out.

/// Two digits a byte, in lower case.
pub fn written(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// `None` unless `text` is exactly two digits for each of the `N` bytes. Capitals are read as well.
pub fn read<const N: usize>(text: &str) -> Option<[u8; N]> {
    let half = |digit: u8| char::from(digit).to_digit(16).and_then(|half| u8::try_from(half).ok());
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (half(pair[0])? << 4) | half(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_reads_back_in_both_cases() {
        let all: [u8; 256] = std::array::from_fn(|byte| u8::try_from(byte).expect("a byte"));
        let text = written(&all);
        assert_eq!(&text[..8], "00010203");
        assert_eq!(read(&text), Some(all));
        assert_eq!(read(&text.to_uppercase()), Some(all));
    }

    #[test]
    fn nothing_else_is_read() {
        for text in ["", "0", "000", "+f", "-1", " f", "0x", "g0", "é"] {
            assert_eq!(read::<1>(text), None, "{text:?}");
        }
    }
}
