//! Until when a certificate is valid: as much of X.509 as it takes to say that.
//! Source: RFC 5280, 4.1.

use chrono::NaiveDateTime;

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The end of a certificate's validity, in Unix seconds; none if it cannot be read.
pub(super) fn end(certificate: &[u8]) -> Option<i64> {
    let (tag, whole, _) = element(certificate)?;
    let (inner, mut rest, _) = element(whole)?;
    if (tag, inner) != (SEQUENCE, SEQUENCE) {
        return None;
    }
    // The version may be left out; then serial number, algorithm and issuer come before it.
    if rest.first() == Some(&0xa0) {
        rest = element(rest)?.2;
    }
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (tag, validity, _) = element(rest)?;
    let (_, _, after) = element(validity)?;
    let (kind, text, _) = element(after)?;
    let text = std::str::from_utf8(text).ok().filter(|_| tag == SEQUENCE)?;
    let text = match kind {
        // Of two digits, 50 and above are of the last century.
        UTC_TIME if text.is_char_boundary(2) && text.get(..2)? < "50" => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let time = NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%SZ").ok()?;
    Some(time.and_utc().timestamp())
}

/// The first element of DER: its tag, its content, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, mut rest) = rest.split_first()?;
    let mut length = usize::from(*first);
    if *first >= 0x80 {
        let count = usize::from(*first & 0x7f);
        let digits = rest.get(..count).filter(|_| (1..=4).contains(&count))?;
        rest = &rest[count..];
        length = digits
            .iter()
            .fold(0, |length, digit| length << 8 | usize::from(*digit));
    }
    let content = rest.get(..length)?;
    Some((*tag, content, &rest[length..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    fn certificate(not_after: &str) -> Vec<u8> {
        let mut params = rcgen::CertificateParams::new(["a.example".to_owned()]).unwrap();
        let (year, month, day) = (&not_after[..4], &not_after[5..7], &not_after[8..]);
        params.not_after = rcgen::date_time_ymd(
            year.parse().unwrap(),
            month.parse().unwrap(),
            day.parse().unwrap(),
        );
        let key = rcgen::KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_end_is_read_in_both_notations() {
        for (day, end) in [
            ("2030-01-02", 1_893_542_400),
            ("2049-12-31", 2_524_521_600),
            ("2050-01-01", 2_524_608_000),
            ("1999-01-01", 915_148_800),
        ] {
            assert_eq!(super::end(&certificate(day)), Some(end), "{day}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_are_not(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = super::end(&bytes);
        }

        #[test]
        fn any_part_of_a_certificate_is_read_or_is_not(at in 0..400_usize, byte in any::<u8>()) {
            let mut whole = certificate("2030-01-02");
            let at = at % whole.len();
            whole[at] = byte;
            let _ = super::end(&whole);
            let _ = super::end(&whole[..at]);
        }
    }
}
