//! Joins the lines of a text that its sender has wrapped (`format=flowed`). Source: RFC 3676.

/// Joins lines; `deletes_space` means `DelSp=yes`.
pub(super) fn joined(text: &str, deletes_space: bool) -> String {
    let mut out = String::with_capacity(text.len());
    // The depth of quoting of the paragraph that goes on.
    let mut open = None;
    for line in text.lines() {
        let content = line.trim_start_matches('>');
        let depth = line.len() - content.len();
        // The sender has put a space before what would look like something else.
        let content = content.strip_prefix(' ').unwrap_or(content);
        let is_signature = content == "-- ";
        let ends = content.is_empty() || is_signature || open != Some(depth);
        if ends {
            if open.is_some() {
                out.push('\n');
            }
            if depth > 0 {
                out.extend(std::iter::repeat_n('>', depth).chain([' ']));
            }
        }
        let is_flowed = content.ends_with(' ') && !is_signature;
        let kept = content
            .strip_suffix(' ')
            .filter(|_| is_flowed && deletes_space);
        out.push_str(kept.unwrap_or(content));
        open = is_flowed.then_some(depth);
        if !is_flowed {
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn lines_that_end_in_a_space_go_on_at_the_same_depth_of_quoting() {
        for (text, deletes_space, expected) in [
            ("one \ntwo\nthree\n", false, "one two\nthree\n"),
            ("one \r\ntwo\r\n", false, "one two\n"),
            ("中 \n文\n", true, "中文\n"),
            (
                "> one \n> two\n>> three \nfour",
                false,
                "> one two\n>> three \nfour\n",
            ),
            (" From me\n >no quote\n", false, "From me\n>no quote\n"),
            ("bye \n-- \nme", false, "bye \n-- \nme\n"),
            ("a \n\nb", false, "a \n\nb\n"),
            ("", false, ""),
        ] {
            assert_eq!(joined(text, deletes_space), expected, "{text:?}");
        }
    }
}
