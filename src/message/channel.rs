//! The channels to a phone: an app's message, an app's group chat, a group robot.

/// The channel of a message; channels accept different kinds and sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Channel {
    /// From an app to members, parties and tags.
    App,
    /// From an app to a group chat that it created.
    Chat,
    /// From a group robot to its group.
    Robot,
}

impl Channel {
    pub(crate) const ALL: [Self; 3] = [Self::App, Self::Chat, Self::Robot];

    /// Returns WeCom's name of the call, below `/cgi-bin/`.
    pub(crate) fn call(self) -> &'static str {
        match self {
            Self::App => "message/send",
            Self::Chat => "appchat/send",
            Self::Robot => "webhook/send",
        }
    }

    /// Returns WeCom's names of the fields that hold recipients.
    pub(crate) fn recipient_fields(self) -> &'static [&'static str] {
        match self {
            Self::App => &["touser", "toparty", "totag"],
            Self::Chat => &["chatid"],
            Self::Robot => &[],
        }
    }

    /// Returns the channel of a call; `None` if it sends no message.
    pub(crate) fn of(call: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.call() == call)
    }

    /// Returns WeCom's call that uploads the files for its messages.
    pub(crate) fn upload_call(self) -> &'static str {
        match self {
            Self::App | Self::Chat => "media/upload",
            Self::Robot => "webhook/upload_media",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_channel_is_known_by_its_call() {
        for (call, channel) in [
            ("message/send", Some(Channel::App)),
            ("appchat/send", Some(Channel::Chat)),
            ("webhook/send", Some(Channel::Robot)),
            ("message/recall", None),
            ("", None),
        ] {
            assert_eq!(Channel::of(call), channel, "{call}");
            assert!(channel.is_none_or(|channel| channel.call() == call));
        }
    }
}
