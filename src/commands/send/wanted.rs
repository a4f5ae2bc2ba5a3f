//! What was typed becomes what was meant: the kind of message, and the options that go with it.

use std::ffi::OsStr;

use crate::cli::Send;
use crate::commands::to;
use crate::error::{Exit, Failure};
use crate::message::content::{DUPLICATE_CHECK_MAX, is_media_id};
use crate::message::{Channel, Kind, MediaKind};

/// The kind of message that is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted<'a> {
    Writing(Kind),
    Media(MediaKind, &'a OsStr),
    Card,
    News,
    /// In WeCom's own JSON.
    Raw(&'a OsStr),
}

impl<'a> Wanted<'a> {
    /// The kind that the options name.
    ///
    /// # Errors
    /// `Exit::Usage`: what the options say cannot be.
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
        let wanted = match (named, &kinds.raw) {
            (Some((kind, path)), _) => Self::Media(kind, path),
            (_, Some(path)) => Self::Raw(path),
            _ if kinds.card => Self::Card,
            _ if kinds.news => Self::News,
            _ if kinds.markdown => Self::Writing(Kind::Markdown),
            _ if kinds.markdown_v2 => Self::Writing(Kind::MarkdownV2),
            _ => Self::Writing(Kind::Text),
        };
        wanted.check(args)?;
        Ok(wanted)
    }

    /// WeCom's name for it, where it has one already.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Writing(kind) => kind.msgtype(),
            Self::Media(kind, _) => kind.name(),
            Self::Card => "textcard",
            Self::News => "news",
            Self::Raw(_) => "raw",
        }
    }

    /// The `media_id` that stands in a path's place, if one does.
    ///
    /// # Errors
    /// `Exit::Usage`: it cannot be one.
    pub(super) fn media_id(self) -> Result<Option<&'a str>, Failure> {
        let Self::Media(_, path) = self else {
            return Ok(None);
        };
        let id = path
            .to_str()
            .and_then(|path| path.strip_prefix("media_id:"));
        match id {
            Some(id) if !is_media_id(id) => Err(usage(
                "what stands behind media_id: cannot be one",
                "wxpush upload prints one",
            )),
            id => Ok(id),
        }
    }

    /// Whether `safe` does anything.
    pub(super) fn takes_safe(self) -> bool {
        match self {
            Self::Writing(kind) => kind == Kind::Text,
            Self::Media(kind, _) => kind != MediaKind::Voice,
            Self::Card | Self::News => false,
            Self::Raw(_) => true,
        }
    }

    /// Sees to what an option says that cannot be.
    fn check(self, args: &Send) -> Result<(), Failure> {
        let name = self.name();
        let channel = to::channel(&args.to);
        if args.safe && channel == Channel::Robot {
            return Err(usage(
                "--safe does nothing in a robot's message",
                "leave it out",
            ));
        }
        if args.safe && !self.takes_safe() {
            let what = format!("--safe cannot protect a {name} message");
            let hint = if name == "markdown" {
                "leave out --markdown to send it as a text"
            } else {
                "leave it out, or send a text, an image, a video or a file"
            };
            return Err(usage(&what, hint));
        }
        let has_ids = matches!(
            self,
            Self::Writing(Kind::Text) | Self::Card | Self::News | Self::Raw(_)
        );
        if args.id_trans && (channel != Channel::App || !has_ids) {
            let what =
                format!("--id-trans works in texts, cards and news of an app only, not in {name}");
            let hint = if channel == Channel::App {
                format!("leave out --{name} or --id-trans")
            } else {
                "leave out --id-trans".to_owned()
            };
            return Err(usage(&what, &hint));
        }
        if args.dedupe.is_some() && channel != Channel::App {
            return Err(usage(
                "--dedupe works for messages to members only",
                "WeCom compares no messages to chats and groups: leave it out",
            ));
        }
        if args
            .dedupe
            .is_some_and(|time| time.as_secs() > DUPLICATE_CHECK_MAX)
        {
            return Err(usage(
                "--dedupe reaches back 4h at the most",
                "WeCom compares no further; write --dedupe 4h",
            ));
        }
        let mentions = !args.to.mention.is_empty() || !args.to.mention_mobile.is_empty();
        if mentions && !matches!(self, Self::Writing(Kind::Text)) {
            return Err(usage(
                &format!("--mention calls members in a text only, not in {name}"),
                "in markdown write <@userid> where the name is to stand",
            ));
        }
        if args.details.name.is_some() && !matches!(self, Self::Media(..)) {
            return Err(usage(
                "--name names a file, and there is none",
                "add --file, --image, --voice or --video",
            ));
        }
        if args.details.url.is_some() && !matches!(self, Self::Card | Self::News) {
            return Err(usage(
                "--url belongs to a card or a headline",
                "add --card or --news",
            ));
        }
        self.check_words(args)
    }

    fn check_words(self, args: &Send) -> Result<(), Failure> {
        match self {
            Self::Raw(_) if !args.message.is_empty() || args.title.is_some() => Err(usage(
                "--raw is the whole message: MESSAGE and --title cannot be added to it",
                "write them into the JSON",
            )),
            Self::Media(_, path) if path == "-" && args.message == ["-"] => Err(usage(
                "stdin cannot be both the file and the message",
                "name a file, or write the message as words",
            )),
            Self::Card | Self::News if args.title.is_none() => Err(usage(
                &format!("a {} needs a title", self.name()),
                "give it with -t",
            )),
            Self::Media(MediaKind::Video, _) if to::channel(&args.to) == Channel::Robot => {
                Err(usage("a robot takes no video", "send it with --file"))
            }
            _ => Ok(()),
        }
    }
}

pub(super) fn usage(what: &str, hint: &str) -> Failure {
    Failure::new(Exit::Usage, what).hint(hint)
}
