//! The answer to a call that a user named, as JSON on one line: secrets and tokens are hidden text by
//! text, since a tree of its values would take a hundred times the memory.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use crate::secret::Redactor;

/// How often JSON within a text is read to find tokens.
const DEPTH_MAX: usize = 3;

/// JSON without secrets.
#[derive(Default)]
pub(super) struct ShownJson {
    pub(super) text: String,
    /// The last of each among the outermost fields.
    pub(super) errcode: i64,
    pub(super) errmsg: String,
    /// Whether a token was hidden.
    hid: bool,
}

impl ShownJson {
    /// Reads JSON; `None` if it is none.
    pub(super) fn of(json: &[u8], told: &Redactor) -> Option<Self> {
        Self::within(str::from_utf8(json).ok()?, told, DEPTH_MAX)
    }

    fn within(json: &str, told: &Redactor, depth: usize) -> Option<Self> {
        serde_json::from_str::<IgnoredAny>(json).ok()?;
        let mut shown = Self {
            text: String::with_capacity(json.len()),
            ..Self::default()
        };
        let (mut rest, mut level, mut name) = (json.trim_ascii_start(), 0, Cow::default());
        let mut clean = String::new();
        // The level of the field whose texts are all hidden.
        let mut hidden: Option<usize> = None;
        while !rest.is_empty() {
            let (token, behind) = rest.split_at(token_size(rest));
            rest = behind.trim_ascii_start();
            let is_name = rest.starts_with(':');
            match token.as_bytes()[0] {
                b'"' => {
                    let text = text_of(token)?;
                    clean.clear();
                    clean.push_str(&text);
                    if is_name {
                        told.hide(&mut clean);
                        if text.ends_with("access_token") && hidden.is_none() {
                            hidden = Some(level);
                        }
                    } else if hidden.is_some() {
                        "REDACTED".clone_into(&mut clean);
                        shown.hid = true;
                    } else {
                        shown.hide(&mut clean, told, depth);
                        if level == 1 && name == "errmsg" {
                            shown.errmsg.clone_from(&clean);
                        }
                    }
                    if *text == *clean {
                        shown.text.push_str(token);
                    } else {
                        shown.text.push_str(&serde_json::to_string(&clean).ok()?);
                    }
                    if is_name {
                        name = text;
                    }
                }
                first => {
                    level += usize::from(b"[{".contains(&first));
                    level -= usize::from(b"]}".contains(&first));
                    if level == 1 && name == "errcode" {
                        shown.errcode = token.parse().unwrap_or(shown.errcode);
                    }
                    shown.text.push_str(token);
                }
            }
            let is_value = !is_name && !"[{,:".contains(token);
            if is_value && hidden == Some(level) {
                hidden = None;
            }
        }
        Some(shown)
    }

    /// Hides secrets in a text, and tokens in JSON that it may be.
    fn hide(&mut self, text: &mut String, told: &Redactor, depth: usize) {
        told.hide(text);
        if depth > 0 && text.contains("access_token") {
            let inner = Self::within(text, told, depth - 1).filter(|inner| inner.hid);
            if let Some(inner) = inner {
                *text = inner.text;
                self.hid = true;
            }
        }
    }
}

/// Returns the size of the first token of JSON, in bytes.
fn token_size(json: &str) -> usize {
    let bytes = json.as_bytes();
    match bytes[0] {
        b'"' => {
            let mut at = 1;
            while let Some(byte) = bytes.get(at).filter(|byte| **byte != b'"') {
                at += 1 + usize::from(*byte == b'\\');
            }
            at + 1
        }
        b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
        _ => {
            let end = bytes.iter().position(|byte| b",]} \t\r\n".contains(byte));
            end.unwrap_or(bytes.len())
        }
    }
}

/// Returns the text that a token stands for.
fn text_of(token: &str) -> Option<Cow<'_, str>> {
    if token.contains('\\') {
        serde_json::from_str(token).ok().map(Cow::Owned)
    } else {
        Some(token[1..token.len() - 1].into())
    }
}
