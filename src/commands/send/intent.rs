//! Derives the kind of a message from the options, and checks that they fit it.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::cli::Send;
use crate::commands::recipients;
use crate::error::Failure;
use crate::message::content::is_media_id;
use crate::message::limits;
use crate::message::{Channel, DUPLICATE_CHECK_MAX, MediaKind, TextKind};
use crate::text::send as words;

/// The intended kind of message.
#[derive(Debug, Clone, Copy)]
pub(super) enum Intent<'a> {
    Text(TextKind),
    Media(MediaKind, &'a [OsString]),
    Textcard,
    News,
    /// WeCom's own JSON.
    Raw(&'a OsStr),
}

impl<'a> Intent<'a> {
    /// Returns the kind named by the options, and checks that they go together.
    ///
    /// # Errors
    /// `Exit::Usage` if they do not.
    pub(super) fn of(args: &'a Send) -> Result<Self, Failure> {
        let kinds = &args.kind;
        let media = [
            (MediaKind::Image, kinds.image.as_slice()),
            (MediaKind::Voice, kinds.voice.as_slice()),
            (MediaKind::Video, kinds.video.as_slice()),
            (MediaKind::File, kinds.file.as_slice()),
        ];
        let named = media.into_iter().find(|(_, paths)| !paths.is_empty());
        let intent = match (named, &kinds.raw) {
            (Some((kind, paths)), _) => Self::Media(kind, paths),
            (_, Some(path)) => Self::Raw(path),
            _ if kinds.card => Self::Textcard,
            _ if kinds.news => Self::News,
            _ if kinds.markdown => Self::Text(TextKind::Markdown),
            _ if kinds.markdown_v2 => Self::Text(TextKind::MarkdownV2),
            _ => Self::Text(TextKind::Text),
        };
        intent.check_options(args)?;
        intent.check_texts(args)?;
        Ok(intent)
    }

    /// Returns WeCom's name for it, if already known.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text(kind) => kind.msgtype(),
            Self::Media(kind, _) => kind.name(),
            Self::Textcard => "textcard",
            Self::News => "news",
            Self::Raw(_) => "raw",
        }
    }

    /// Returns the `media_id` that replaces a path.
    ///
    /// # Errors
    /// `Exit::Usage` if it is invalid.
    pub(super) fn media_id(path: &'a OsStr) -> Result<Option<&'a str>, Failure> {
        let path = path.to_str();
        match path.and_then(|path| path.strip_prefix("media_id:")) {
            Some(id) if !is_media_id(id) => Err(words::not_a_media_id()),
            id => Ok(id),
        }
    }

    /// Returns the words of the message that are further files: those of a glob behind `--file`. A
    /// text is told by a word that is no file, or by `--` before it.
    pub(super) fn files_in_words(self, args: &'a Send) -> &'a [OsString] {
        let takes_more = matches!(self, Self::Media(MediaKind::Image | MediaKind::File, _));
        let is_file = |word: &OsString| Path::new(word).is_file();
        let has_dashes = || std::env::args_os().any(|word| word == "--");
        if takes_more && args.message.iter().all(is_file) && !has_dashes() {
            &args.message
        } else {
            &[]
        }
    }

    fn check_options(self, args: &Send) -> Result<(), Failure> {
        let name = self.name();
        let channel = recipients::channel(&args.to);
        if args.safe && channel == Channel::Robot {
            return Err(words::safe_of_robot());
        }
        if args.safe && !limits::takes_safe(name) {
            return Err(match self {
                Self::Text(TextKind::Markdown) => words::safe_of_markdown(),
                _ => words::safe_useless(name),
            });
        }
        if args.id_trans && channel != Channel::App {
            return Err(words::id_trans_of_other_channel(name));
        }
        if args.id_trans && !limits::takes_id_trans(name) {
            return Err(words::id_trans_useless(name));
        }
        if args.dedupe.is_some() && channel != Channel::App {
            return Err(words::dedupe_not_app());
        }
        if args
            .dedupe
            .is_some_and(|time| time.as_secs() > DUPLICATE_CHECK_MAX)
        {
            return Err(words::dedupe_too_long());
        }
        let mentions = !args.to.mention.is_empty() || !args.to.mention_mobile.is_empty();
        if mentions && !matches!(self, Self::Text(TextKind::Text)) {
            return Err(match self {
                Self::Text(_) => words::mention_in_markdown(name),
                _ => words::mention_useless(name),
            });
        }
        if args.details.name.is_some() {
            match self {
                Self::Media(_, [_]) if self.files_in_words(args).is_empty() => {}
                Self::Media(..) => return Err(words::name_of_many_files()),
                _ => return Err(words::name_without_file()),
            }
        }
        if args.details.url.is_some() && !matches!(self, Self::Textcard | Self::News) {
            return Err(words::url_without_card());
        }
        Ok(())
    }

    fn check_texts(self, args: &Send) -> Result<(), Failure> {
        Err(match self {
            Self::Raw(_) if !args.message.is_empty() || args.title.is_some() => {
                words::raw_with_text()
            }
            Self::Media(_, paths) if is_stdin_twice(paths, args) => words::stdin_twice(),
            Self::Textcard | Self::News if args.title.is_none() => {
                words::title_missing(self.name())
            }
            Self::Media(MediaKind::Video, _) if recipients::channel(&args.to) == Channel::Robot => {
                words::video_of_robot()
            }
            Self::Media(MediaKind::Image, paths)
                if recipients::channel(&args.to) == Channel::Robot && has_media_id(paths)? =>
            {
                words::image_of_robot_by_id()
            }
            _ => return Ok(()),
        })
    }
}

fn is_stdin_twice(paths: &[OsString], args: &Send) -> bool {
    let words = usize::from(args.message == ["-"]);
    paths.iter().filter(|path| *path == "-").count() + words > 1
}

fn has_media_id(paths: &[OsString]) -> Result<bool, Failure> {
    let mut ids = paths.iter().map(|path| Intent::media_id(path));
    ids.try_fold(false, |has, id| Ok(has | id?.is_some()))
}
