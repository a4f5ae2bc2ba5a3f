//! What the options of `send` mean, and its text: words, or stdin.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::cli::{Kinds, Send};
use crate::commands::intent::{Intent, IntentKind};
use crate::commands::option_text::warn_of_replaced;
use crate::commands::recipients;
use crate::error::Failure;
use crate::message::input::{INPUT_MAX, Input, unescape};
use crate::message::{MediaKind, TextKind};
use crate::text::message::the_input;
use crate::text::send as words;

/// Returns the message that the options describe.
///
/// # Errors
/// `Exit::Usage` if they do not go together.
pub(super) fn intent(args: &Send) -> Result<Intent, Failure> {
    let mut kind = kind(&args.kind);
    let mut has_text = !args.message.is_empty();
    if let IntentKind::Media(media, paths) = &mut kind {
        let stdin = usize::from(args.message == ["-"]);
        if paths.iter().filter(|path| *path == "-").count() + stdin > 1 {
            return Err(words::stdin_twice());
        }
        let further = files_in_words(*media, args);
        has_text &= further.is_empty();
        paths.extend_from_slice(further);
    }
    let intent = Intent {
        kind,
        channel: recipients::channel(&args.to),
        has_text,
        title: args.title.clone(),
        mentions: [args.to.mention.clone(), args.to.mention_mobile.clone()],
        file_name: args.details.name.clone(),
        url: args.details.url.clone(),
        picture: args.details.picture.clone(),
        button: args.details.button.clone(),
        safe: args.safe,
        id_trans: args.id_trans,
        dedupe: args.dedupe,
        long: args.long,
        skip_empty: args.skip_empty,
        encoding: args.encoding,
    };
    intent.check()?;
    Ok(intent)
}

fn kind(kinds: &Kinds) -> IntentKind {
    let media = [
        (MediaKind::Image, kinds.image.as_slice()),
        (MediaKind::Voice, kinds.voice.as_slice()),
        (MediaKind::Video, kinds.video.as_slice()),
        (MediaKind::File, kinds.file.as_slice()),
    ];
    let named = media.into_iter().find(|(_, paths)| !paths.is_empty());
    match (named, &kinds.raw) {
        (Some((kind, paths)), _) => IntentKind::Media(kind, paths.to_vec()),
        (_, Some(path)) => IntentKind::RawFile(path.clone()),
        _ if kinds.card => IntentKind::Textcard,
        _ if kinds.news => IntentKind::News,
        _ if kinds.markdown => IntentKind::Text(TextKind::Markdown),
        _ if kinds.markdown_v2 => IntentKind::Text(TextKind::MarkdownV2),
        _ => IntentKind::Text(TextKind::Text),
    }
}

/// Returns the words of the message that are further files: those of a glob behind `--file`. A
/// text is told by a word that is no file, or by `--` before it.
fn files_in_words(kind: MediaKind, args: &Send) -> &[OsString] {
    let takes_more = matches!(kind, MediaKind::Image | MediaKind::File);
    let is_file = |word: &OsString| Path::new(word).is_file();
    let has_dashes = || std::env::args_os().any(|word| word == "--");
    if takes_more && args.message.iter().all(is_file) && !has_dashes() {
        &args.message
    } else {
        &[]
    }
}

/// Reads the text of a message; empty if its kind needs none.
///
/// # Errors
/// If there is none, or stdin cannot be read.
pub(super) fn text(args: &Send, intent: &Intent) -> Result<Input, Failure> {
    let has_one = match intent.kind {
        IntentKind::Text(_) | IntentKind::Textcard => true,
        IntentKind::News => intent.has_text || !io::stdin().is_terminal(),
        IntentKind::Media(..) => intent.has_text,
        IntentKind::RawFile(_) | IntentKind::Raw(_) => false,
    };
    if has_one {
        words_or_stdin(args)
    } else {
        Ok(Input::default())
    }
}

/// Reads the words, or stdin. With words stdin is never read.
fn words_or_stdin(args: &Send) -> Result<Input, Failure> {
    let input = if args.message.is_empty() || args.message == ["-"] {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            return Err(words::no_message());
        }
        Input::decoded(stdin.lock(), args.encoding).map_err(words::stdin_unreadable)?
    } else {
        let words = args.message.join(&OsString::from(" "));
        let bytes: Cow<'_, [u8]> = if args.escapes {
            unescape(words.as_bytes()).into()
        } else {
            words.as_bytes().into()
        };
        Input::decoded(&*bytes, args.encoding).expect("words are in memory")
    };
    warn_of_replaced(&the_input(), &input, args.encoding);
    if input.cut {
        tracing::warn!("{}", words::input_cut(INPUT_MAX >> 20));
    }
    Ok(input)
}
