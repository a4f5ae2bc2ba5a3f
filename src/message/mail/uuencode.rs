//! Finds files within a text that `uuencode` has made: `begin 644 name`, lines, `end`.

use super::super::encoding::guessed;
use super::IsTold;
use super::head::{line, lines};
use super::transfer::base64;

/// A file within a text.
pub(super) struct UuFile {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// Most files that are taken out of a text: each takes memory, however small it is.
const FILES_MAX: usize = 100;

/// Takes the files out of a text. What isn't whole stays in it, and so do those past the limit, and what
/// shows a secret.
pub(super) fn files(text: &[u8], is_told: IsTold<'_>) -> (Vec<u8>, Vec<UuFile>) {
    let (mut out, mut files) = (Vec::with_capacity(text.len()), Vec::new());
    let mut rest = text;
    while !rest.is_empty() {
        if files.len() < FILES_MAX
            && let Some((file, behind)) = file(rest)
            && !is_told(&rest[..rest.len() - behind.len()])
        {
            files.push(file);
            rest = behind;
        } else {
            let line = line(rest);
            out.extend_from_slice(line);
            rest = &rest[line.len()..];
        }
    }
    (out, files)
}

/// Reads the file at the start of `text`; returns it with what stands behind it.
fn file(text: &[u8]) -> Option<(UuFile, &[u8])> {
    let first = line(text);
    let plain = first.strip_prefix(b"begin ");
    let mode = plain.or_else(|| first.strip_prefix(b"begin-base64 "))?;
    let (mode, name) = mode.split_at(mode.iter().position(|byte| *byte == b' ')?);
    if !matches!(mode.len(), 3 | 4) || !mode.iter().all(|it| (b'0'..b'8').contains(it)) {
        return None;
    }
    let mut bytes = Vec::new();
    let mut at = first.len();
    for line in lines(&text[at..]) {
        at += line.len();
        let line = line.trim_ascii_end();
        match plain {
            Some(_) if line == b"end" => {}
            None if line == b"====" => {}
            Some(_) => {
                decode(line, &mut bytes)?;
                // Lines that lack most of what they announce would make a file of any size.
                (bytes.len() <= at).then_some(())?;
                continue;
            }
            None => {
                let is_code = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
                line.iter().all(is_code).then_some(())?;
                bytes.extend(base64(line));
                continue;
            }
        }
        let name = guessed(name.trim_ascii());
        return Some((UuFile { name, bytes }, &text[at..]));
    }
    None
}

/// Decodes a line, whose first character is its length.
fn decode(line: &[u8], bytes: &mut Vec<u8>) -> Option<()> {
    let value = |byte: u8| (b' '..=b'`').contains(&byte).then(|| (byte - b' ') & 63);
    let (size, code) = line.split_first().unwrap_or((&b' ', b""));
    let size = usize::from(value(*size)?);
    let end = bytes.len() + size;
    let needed = size.div_ceil(3) * 4;
    // A checksum may follow.
    if code.len() > needed + 1 {
        return None;
    }
    for at in (0..needed).step_by(4) {
        // Spaces at the end of a line get lost.
        let sextet = |more| value(code.get(at + more).copied().unwrap_or(b' ')).map(u32::from);
        let bits = sextet(0)? << 18 | sextet(1)? << 12 | sextet(2)? << 6 | sextet(3)?;
        bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    bytes.truncate(end);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::files;

    #[test]
    fn whole_files_are_taken_out_and_all_else_stays() {
        let file = "begin 644 a b.txt\n#0V%T\n`\nend\n";
        for (text, rest, count) in [
            (format!("see\n{file}bye\n"), "see\nbye\n", 1),
            (file.repeat(2), "", 2),
            (file.replace('\n', "\r\n"), "", 1),
            ("begin-base64 644 a b.txt\nQ2F0\n====\n".into(), "", 1),
            (file.replace("end", "and"), &*file.replace("end", "and"), 0),
            (
                "begin 644 a\n#0V%T0V%T\nend\n".into(),
                "begin 644 a\n#0V%T0V%T\nend\n",
                0,
            ),
            (
                "begin 644 times\nend of it\n".into(),
                "begin 644 times\nend of it\n",
                0,
            ),
            ("begin 9 a\nend\n".into(), "begin 9 a\nend\n", 0),
            ("begin 644 a b.txt\n#0V%T\n\n\nend\n".into(), "", 1),
            (
                format!("begin 644 a\n{}end\n", "_\n".repeat(9)),
                &format!("begin 644 a\n{}end\n", "_\n".repeat(9)),
                0,
            ),
        ] {
            let (left, found) = files(text.as_bytes(), &|_| false);
            assert_eq!(String::from_utf8(left).unwrap(), rest, "{text}");
            assert_eq!(found.len(), count, "{text}");
            for file in found {
                assert_eq!((&*file.name, &*file.bytes), ("a b.txt", &b"Cat"[..]));
            }
        }
    }
}
