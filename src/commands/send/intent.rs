//! Derives the kind of a message from the options, and checks that they fit it.

use std::ffi::OsStr;

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
    Media(MediaKind, &'a OsStr),
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
            (MediaKind::Image, &kinds.image),
            (MediaKind::Voice, &kinds.voice),
            (MediaKind::Video, &kinds.video),
            (MediaKind::File, &kinds.file),
        ];
        let named = media
            .into_iter()
            .find_map(|(kind, path)| Some((kind, path.as_deref()?)));
        let intent = match (named, &kinds.raw) {
            (Some((kind, path)), _) => Self::Media(kind, path),
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
            return Err(words::mention_useless(name));
        }
        if args.details.name.is_some() && !matches!(self, Self::Media(..)) {
            return Err(words::name_without_file());
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
            Self::Media(_, path) if path == "-" && args.message == ["-"] => words::stdin_twice(),
            Self::Textcard | Self::News if args.title.is_none() => {
                words::title_missing(self.name())
            }
            Self::Media(MediaKind::Video, _) if recipients::channel(&args.to) == Channel::Robot => {
                words::video_of_robot()
            }
            Self::Media(MediaKind::Image, path)
                if recipients::channel(&args.to) == Channel::Robot
                    && Self::media_id(path)?.is_some() =>
            {
                words::image_of_robot_by_id()
            }
            _ => return Ok(()),
        })
    }
}
