//! NumPy's array format, version 1.0, for arrays of one dimension (numpy.lib.format): magic, length of the header, a Python dict, padding
//! to 64 bytes. The header has a fixed length here, so that it can be written last.

/// Bytes before the first value.
pub(super) const HEADER_BYTES: u64 = 128;

/// The header of `length` values of the type `descr`, as `<u2`.
pub(super) fn header(descr: &str, length: u64) -> Vec<u8> {
    let dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({length},), }}");
    let room = HEADER_BYTES as usize - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(room as u16).to_le_bytes());
    bytes.extend_from_slice(dict.as_bytes());
    bytes.resize(HEADER_BYTES as usize - 1, b' ');
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_always_of_one_length() {
        for length in [0, 7, u64::MAX] {
            let bytes = header("<u4", length);
            assert_eq!(bytes.len() as u64, HEADER_BYTES);
            assert!(bytes.ends_with(b"\n") && String::from_utf8_lossy(&bytes).contains(&format!("({length},)")));
        }
    }
}
