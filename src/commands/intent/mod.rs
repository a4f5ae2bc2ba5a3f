//! What a message is to be: `send` reads it from options, `batch` from a line. Checks that its parts
//! go together, and makes a draft of it.

mod body;

use std::ffi::{OsStr, OsString};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::Failure;
use crate::message::content::is_media_id;
use crate::message::limits;
use crate::message::{Channel, DUPLICATE_CHECK_MAX, Encoding, Long, MediaKind, TextKind};
use crate::text::send as words;

/// A message as its sender describes it.
#[derive(Debug)]
pub(super) struct Intent {
    pub(super) kind: IntentKind,
    pub(super) channel: Channel,
    /// Whether a text was given; the texts of most kinds may also be read from stdin.
    pub(super) has_text: bool,
    pub(super) title: Option<OsString>,
    /// The userids and phone numbers that a robot's message mentions.
    pub(super) mentions: [Vec<String>; 2],
    /// The file name that recipients see.
    pub(super) file_name: Option<OsString>,
    /// The page that a card or a headline opens.
    pub(super) url: Option<String>,
    /// The picture of a headline.
    pub(super) picture: Option<String>,
    /// The text of a card's button.
    pub(super) button: Option<OsString>,
    pub(super) safe: bool,
    pub(super) id_trans: bool,
    /// The time within which WeCom drops an identical message.
    pub(super) dedupe: Option<Duration>,
    pub(super) long: Long,
    /// Whether an empty message is a success, and not sent.
    pub(super) skip_empty: bool,
    /// The encoding of texts that are not UTF-8.
    pub(super) encoding: Option<Encoding>,
}

/// The kind of a message.
#[derive(Debug)]
pub(super) enum IntentKind {
    Text(TextKind),
    /// Files by their paths, `-` for stdin, or by `media_id:ID`.
    Media(MediaKind, Vec<OsString>),
    Textcard,
    News,
    /// WeCom's own JSON, in a file.
    RawFile(OsString),
    /// WeCom's own JSON.
    Raw(Map<String, Value>),
}

impl IntentKind {
    /// Returns WeCom's name for it, if already known.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Text(kind) => kind.msgtype(),
            Self::Media(kind, _) => kind.name(),
            Self::Textcard => "textcard",
            Self::News => "news",
            Self::RawFile(_) | Self::Raw(_) => "raw",
        }
    }
}

impl Intent {
    /// Checks that its parts go together.
    ///
    /// # Errors
    /// `Exit::Usage` if they do not.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.check_options()?;
        self.check_texts()
    }

    /// Whether `--long article` would make an article of it if it is long.
    pub(super) fn may_be_article(&self) -> bool {
        matches!(self.kind, IntentKind::Text(_)) && self.channel != Channel::Robot
    }

    fn check_options(&self) -> Result<(), Failure> {
        let (name, channel) = (self.kind.name(), self.channel);
        if self.safe && channel == Channel::Robot {
            return Err(words::safe_of_robot());
        }
        if self.safe && !limits::takes_safe(name) {
            return Err(match self.kind {
                IntentKind::Text(TextKind::Markdown) => words::safe_of_markdown(),
                _ => words::safe_useless(name),
            });
        }
        if self.long == Long::Article && channel == Channel::Robot {
            return Err(words::article_of_robot());
        }
        if self.id_trans && channel != Channel::App {
            return Err(words::id_trans_of_other_channel(name));
        }
        if self.id_trans && !limits::takes_id_trans(name) {
            return Err(words::id_trans_useless(name));
        }
        if self.dedupe.is_some() && channel != Channel::App {
            return Err(words::dedupe_not_app());
        }
        if self
            .dedupe
            .is_some_and(|time| time.as_secs() > DUPLICATE_CHECK_MAX)
        {
            return Err(words::dedupe_too_long());
        }
        let has_mentions = self.mentions.iter().any(|names| !names.is_empty());
        if has_mentions && !matches!(self.kind, IntentKind::Text(TextKind::Text)) {
            return Err(match self.kind {
                IntentKind::Text(_) => words::mention_in_markdown(name),
                _ => words::mention_useless(name),
            });
        }
        if self.file_name.is_some() {
            match &self.kind {
                IntentKind::Media(_, paths) if paths.len() == 1 => {}
                IntentKind::Media(..) => return Err(words::name_of_many_files()),
                _ => return Err(words::name_without_file()),
            }
        }
        if self.url.is_some() && !matches!(self.kind, IntentKind::Textcard | IntentKind::News) {
            return Err(words::url_without_card());
        }
        Ok(())
    }

    fn check_texts(&self) -> Result<(), Failure> {
        let by_robot = self.channel == Channel::Robot;
        Err(match &self.kind {
            IntentKind::RawFile(_) | IntentKind::Raw(_)
                if self.has_text || self.title.is_some() =>
            {
                words::raw_with_text()
            }
            IntentKind::Textcard | IntentKind::News if self.title.is_none() => {
                words::title_missing(self.kind.name())
            }
            IntentKind::Media(MediaKind::Video, _) if by_robot => words::video_of_robot(),
            IntentKind::Media(MediaKind::Image, paths) if by_robot && has_media_id(paths)? => {
                words::image_of_robot_by_id()
            }
            _ => return Ok(()),
        })
    }
}

/// Returns the `media_id` that replaces a path.
///
/// # Errors
/// `Exit::Usage` if it is invalid.
fn media_id(path: &OsStr) -> Result<Option<&str>, Failure> {
    let path = path.to_str();
    match path.and_then(|path| path.strip_prefix("media_id:")) {
        Some(id) if !is_media_id(id) => Err(words::not_a_media_id()),
        id => Ok(id),
    }
}

fn has_media_id(paths: &[OsString]) -> Result<bool, Failure> {
    let mut ids = paths.iter().map(|path| media_id(path));
    ids.try_fold(false, |has, id| Ok(has | id?.is_some()))
}
