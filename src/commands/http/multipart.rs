//! Forms in `multipart/form-data`: their texts, not their files. Source: RFC 7578.

use crate::commands::lenient;

/// The most parts of a form.
const PARTS_MAX: usize = 100;

/// Returns the boundary that a content type names; `None` if it is not this form.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let mut parameters = content_type.split(';');
    let kind = parameters.next()?.trim();
    if !kind.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    parameter(parameters, "boundary").filter(|it| !it.is_empty())
}

/// Returns the texts of a form, by name.
pub(super) fn fields(body: &[u8], boundary: &str) -> Vec<(String, String)> {
    let mark = format!("--{boundary}");
    let mut rest = match find(body, mark.as_bytes()) {
        Some(at) => &body[at + mark.len()..],
        None => return Vec::new(),
    };
    let mark = format!("\r\n{mark}");
    let mut fields = Vec::new();
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let end = find(part, mark.as_bytes());
        let Some(end) = end.filter(|_| fields.len() < PARTS_MAX) else {
            break;
        };
        fields.extend(field(&part[..end]));
        rest = &part[end + mark.len()..];
    }
    fields
}

/// Returns the name and the text of a part; `None` if it is a file.
fn field(part: &[u8]) -> Option<(String, String)> {
    let at = find(part, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&part[..at]);
    let disposition = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_one = name.trim().eq_ignore_ascii_case("content-disposition");
        is_one.then_some(value)
    })?;
    if parameter(disposition.split(';'), "filename").is_some() {
        return None;
    }
    let name = parameter(disposition.split(';'), "name")?;
    let text = lenient::text(&part[at + 4..]).into_owned();
    Some((name, text))
}

fn parameter<'a>(parameters: impl Iterator<Item = &'a str>, name: &str) -> Option<String> {
    let mut pairs = parameters.filter_map(|it| it.split_once('='));
    let (_, value) = pairs.find(|(known, _)| known.trim().eq_ignore_ascii_case(name))?;
    Some(value.trim().trim_matches('"').to_owned())
}

fn find(bytes: &[u8], sought: &[u8]) -> Option<usize> {
    bytes.windows(sought.len()).position(|it| it == sought)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_and_files_and_broken_parts_are_not() {
        let part = |fields: &str, text: &str| {
            format!("--b\r\nContent-Disposition: form-data; {fields}\r\n\r\n{text}\r\n")
        };
        let body = [
            "preamble\r\n".to_owned(),
            part("name=\"message\"", "two\r\nlines --b"),
            part("name=\"file\"; filename=\"a.txt\"", "no"),
            part("name=\"empty\"", ""),
            "--b\r\nno head".to_owned(),
            "\r\n".to_owned() + &part("name=title", "t"),
            "--b--\r\nepilogue".to_owned(),
        ]
        .concat();
        let all = fields(body.as_bytes(), "b");
        let expected = [
            ("message", "two\r\nlines --b"),
            ("empty", ""),
            ("title", "t"),
        ];
        assert_eq!(
            all,
            expected.map(|(name, text)| (name.to_owned(), text.to_owned()))
        );
        for end in 0..body.len() {
            fields(&body.as_bytes()[..end], "b");
        }
        assert_eq!(
            boundary("Multipart/Form-Data; charset=x; Boundary=\"-a b\"").as_deref(),
            Some("-a b")
        );
        assert_eq!(boundary("text/plain; boundary=a"), None);
    }
}
