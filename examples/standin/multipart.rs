//! A multipart body, read as strictly as WeCom does.
//!
//! WeCom knows nothing of RFC 5987: a file's name is the raw UTF-8 between the quotes of `filename="…"`, and
//! a part that has `filename*=` alone is no file.

use std::io::BufRead as _;

use super::refusal::Refusal;

/// A file of a multipart body.
#[derive(Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The field's name.
    pub name: String,
    /// The file's name.
    pub filename: String,
    /// The length that is declared, if one is.
    pub declared: Option<String>,
    /// The file.
    pub bytes: &'a [u8],
}

/// The files of a body, or 44001 if it is none or is damaged.
pub fn files<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, Refusal> {
    let boundary = boundary(content_type);
    let parts = boundary.and_then(|boundary| parts(&boundary, body));
    let parts = parts.ok_or_else(|| Refusal::of(44001))?;
    Ok(parts.into_iter().filter_map(file).collect())
}

fn boundary(content_type: &str) -> Option<String> {
    let mut fields = content_type.split(';').map(str::trim);
    if !fields.next()?.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let value = fields.find_map(|field| {
        let (name, value) = field.split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then_some(value)
    })?;
    let value = value.trim_matches('"');
    (1..=70).contains(&value.len()).then(|| value.to_owned())
}

/// Each part's headers and bytes; `None` unless the body is parts from its first byte to its last.
fn parts<'a>(boundary: &str, body: &'a [u8]) -> Option<Vec<(&'a [u8], &'a [u8])>> {
    let between = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(&between.as_bytes()[2..])?;
    let mut parts = Vec::new();
    loop {
        if let Some(end) = rest.strip_prefix(b"--") {
            return (end.is_empty() || end == b"\r\n").then_some(parts);
        }
        let part = rest.strip_prefix(b"\r\n")?;
        let blank = find(part, b"\r\n\r\n")?;
        let content = &part[blank + 4..];
        // The boundary's own line break may be the one that ends the headers.
        let end = find(&part[blank + 2..], between.as_bytes())?;
        parts.push((&part[..blank], content.get(..end.checked_sub(2)?)?));
        rest = &part[blank + 2 + end + between.len()..];
    }
}

/// Where a text that begins with CRLF is found; as fast as the libc in a build without optimisation.
fn find(hay: &[u8], text: &[u8]) -> Option<usize> {
    let mut rest = hay;
    loop {
        let before = hay.len() - rest.len();
        let line = rest.skip_until(b'\n').ok().filter(|line| *line > 0)?;
        let start = (before + line).checked_sub(2);
        let found = start.filter(|start| hay[*start..].starts_with(text));
        if found.is_some() {
            return found;
        }
    }
}

/// The file of a part that has one.
fn file<'a>((head, bytes): (&[u8], &'a [u8])) -> Option<Part<'a>> {
    let head = std::str::from_utf8(head).ok()?;
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition")
            .then_some(value.trim())
    })?;
    let mut rest = disposition.strip_prefix("form-data")?;
    let (mut name, mut filename, mut declared) = (None, None, None);
    while let Some(field) = rest.trim_start().strip_prefix(';') {
        let (key, value) = field.split_once('=')?;
        let (value, quoted, after) = if let Some(value) = value.strip_prefix('"') {
            let (value, after) = value.split_once('"')?;
            (value, true, after)
        } else {
            let end = value.find(';').unwrap_or(value.len());
            (value[..end].trim_end(), false, &value[end..])
        };
        match key.trim() {
            "name" => name = Some(value.to_owned()),
            "filename" if quoted && !value.is_empty() => filename = Some(value.to_owned()),
            "filelength" => declared = Some(value.to_owned()),
            _ => {}
        }
        rest = after;
    }
    Some(Part {
        name: name?,
        filename: filename?,
        declared,
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(content_type: &str, body: &str) -> Option<Vec<(String, String)>> {
        let files = files(content_type, body.as_bytes()).ok()?;
        let names = files.into_iter().map(|part| {
            (
                part.filename,
                String::from_utf8_lossy(part.bytes).into_owned(),
            )
        });
        Some(names.collect())
    }

    #[test]
    fn a_file_is_its_bytes_and_its_raw_name() {
        let right = "multipart/form-data; boundary=B";
        let form = |disposition: &str, content: &str| {
            format!(
                "--B\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: a/b\r\n\r\n{content}\r\n--B--\r\n"
            )
        };
        let one = |name: &str, content: &str| Some(vec![(name.to_owned(), content.to_owned())]);
        let named = r#"name="media"; filename="报告 1.pdf"; filelength=6"#;
        let tight = r#"name="media";filename="a.txt""#;
        for (content_type, body, files) in [
            (right, form(named, "x"), one("报告 1.pdf", "x")),
            (right, form(tight, ""), one("a.txt", "")),
            (
                right,
                form(tight, "\r\n--C\r\n\n--B"),
                one("a.txt", "\r\n--C\r\n\n--B"),
            ),
            (
                r#"Multipart/Form-Data; charset=x; boundary="B""#,
                form(tight, "x"),
                one("a.txt", "x"),
            ),
            (
                right,
                form(r#"name="media"; filename*=utf-8''%E6%8A%A5.pdf"#, "x"),
                Some(vec![]),
            ),
            (right, form(r#"name="media""#, "x"), Some(vec![])),
            (
                right,
                form(r#"name="media"; filename="""#, "x"),
                Some(vec![]),
            ),
            (
                right,
                form(r#"name="media"; filename=a.txt"#, "x"),
                Some(vec![]),
            ),
            ("multipart/form-data", form(tight, "x"), None),
            ("multipart/form-data; boundary=", form(tight, "x"), None),
            ("application/json; boundary=B", form(tight, "x"), None),
            (right, form(tight, "x").replace("--B--", "--B"), None),
            (right, form(tight, "x").replace("--B--", "--C--"), None),
            (right, format!("\r\n{}", form(tight, "x")), None),
            (right, form(tight, "x") + "more", None),
            (right, String::new(), None),
        ] {
            assert_eq!(names(content_type, &body), files, "{content_type} {body}");
        }
    }

    #[test]
    fn a_second_part_is_another_file() {
        let part = |name: &str| {
            format!(
                "--B\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n{name}\r\n"
            )
        };
        let body = part("a") + &part("media") + "--B--";
        let files = files("multipart/form-data; boundary=B", body.as_bytes()).unwrap();
        let found: Vec<_> = files.iter().map(|part| (&*part.name, part.bytes)).collect();
        assert_eq!(found, [("a", &b"a"[..]), ("media", b"media")]);
    }
}
