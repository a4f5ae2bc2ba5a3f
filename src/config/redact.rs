//! Redacts possible secrets, and detects placeholders.

/// Whether a text is the placeholder of an example.
pub(super) fn is_placeholder(text: &str) -> bool {
    const PARTS: &[&str] = &[
        "…",
        "...",
        "changeme",
        "change-me",
        "change_me",
        "replace",
        "your-",
        "your_",
        "yourcorp",
        "yoursecret",
        "placeholder",
        "你的",
        "填",
        "替换",
        "企业id",
    ];
    const WHOLE: &[&str] = &["corpid", "corpsecret", "secret", "todo", "key"];
    const FRAMES: [(&str, &str); 4] = [("<", ">"), ("{", "}"), ("[", "]"), ("${", "}")];
    let text = &*text.trim().to_lowercase();
    let is_framed = |(open, close): &(&str, &str)| text.starts_with(open) && text.ends_with(close);
    PARTS.iter().any(|part| text.contains(part))
        || WHOLE.contains(&text)
        || FRAMES.iter().any(is_framed)
        || text
            .trim_matches(['w', 'x', '*', '-', '_', '.', '?'])
            .is_empty()
}

/// The longest word that is certainly not a secret, in bytes.
///
/// WeCom's secrets have 43 letters, digits, `-` and `_`, robots' keys 36; our own names have fewer
/// than 20.
const NAME_MAX: usize = 31;

/// Whether a text has a word as long as a secret: it is then never repeated.
pub(super) fn could_be_secret(text: &str) -> bool {
    text.split(is_no_part).any(|word| word.len() > NAME_MAX)
}

/// Redacts each word of the user's text that could be a secret.
pub(crate) fn shown(text: &str) -> String {
    let words = text.split_inclusive(is_no_part);
    words
        .map(|word| match word.trim_end_matches(is_no_part) {
            long if long.len() > NAME_MAX => format!("(hidden){}", &word[long.len()..]),
            _ => word.to_owned(),
        })
        .collect()
}

fn is_no_part(character: char) -> bool {
    !character.is_ascii_alphanumeric() && character != '-' && character != '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_detected_and_real_values_are_not() {
        for text in [
            "…",
            "your-secret",
            "<corpsecret>",
            "xxxx",
            "wwxxxxxxxxxxxxxxxx",
            "changeme",
            "***",
            "你的企业ID",
            "填这里",
            "corpsecret",
            "${SECRET}",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in [
            "ww0123456789abcdef",
            "wx1a2b3c4d5e6f7a8b",
            "ww1",
            "Zy7-qP_0aBcDeFgHiJkLmNoPqRsTuVwXyZ012345678",
            "xk29dkxxxx9s8d7f",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
    }
}
