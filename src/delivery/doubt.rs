//! What is done about a request that may have been processed although no answer came.
//!
//! A resend asks WeCom to swallow it if an equal request has arrived within a window
//! (`enable_duplicate_check`). The window must reach back to the request in doubt, and must not reach
//! an equal alert before it: that one would swallow the message. It is fixed with the first resend, so
//! that all resends are the same to the byte. Chats and robots have no such check.
//! Source: developer.work.weixin.qq.com/document/path/90236.

use std::time::Duration;

use crate::clock::Stamp;
use crate::message::content::DUPLICATE_CHECK_MAX;
use crate::outbox::Doubt;

/// How far a window reaches beyond the first request in doubt, at the most, in seconds: so long the
/// same resend serves.
const MARGIN_MAX: u64 = 600;

/// Two looks at the clock, and a network between them, in seconds.
const SLACK: u64 = 2;

/// Most forms of one message that WeCom does not take for the same: each may arrive once.
const FORMS_MAX: u32 = 4;

/// How a request goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is.
    Plain,
    /// Flagged for WeCom's duplicate check, with a window of so many seconds.
    Flagged(u64),
}

/// What else decides on the form of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct About {
    /// Whether WeCom compares requests of this call.
    pub(super) compares: bool,
    /// Whether the message must not arrive twice, whatever happens.
    pub(super) once: bool,
    /// How long ago an equal message went.
    pub(super) equal: Option<Duration>,
}

/// The form of the next request, and the doubt that it leaves if its answer is lost, too; `None` if
/// one more could only be a copy.
pub(super) fn next(doubt: Option<&Doubt>, about: About, now: Stamp) -> Option<(Form, Doubt)> {
    let About {
        compares,
        once,
        equal,
    } = about;
    let Some(doubt) = doubt else {
        let fresh = Doubt::new(now, String::new());
        let is_alone = equal.is_none_or(|equal| equal.as_secs() > MARGIN_MAX);
        if !once || !compares || !is_alone {
            return Some((Form::Plain, fresh));
        }
        // Flagged from the first on, so that a resend is the same to the byte.
        let window = Some(MARGIN_MAX);
        return Some((Form::Flagged(MARGIN_MAX), Doubt { window, ..fresh }));
    };
    if once && !compares {
        return None;
    }
    let again = Doubt {
        last: Some(now),
        ..doubt.clone()
    };
    // Of a clock that was set back across a reboot nothing is known: as wide as can be.
    let age = doubt
        .since
        .age(&now)
        .map_or(DUPLICATE_CHECK_MAX - 1, |age| age.as_secs());
    if once && age >= DUPLICATE_CHECK_MAX {
        return None;
    }
    if !compares || age >= DUPLICATE_CHECK_MAX {
        // Nothing can swallow a copy any more: one resend in all, counted across its windows.
        let is_first = doubt.forms == 1 || compares && doubt.forms <= FORMS_MAX;
        let forms = if compares { FORMS_MAX + 1 } else { 2 };
        let fresh = Doubt {
            since: now,
            last: None,
            window: None,
            answered: false,
            forms,
            marks: doubt.marks.clone(),
        };
        return is_first.then_some((Form::Plain, fresh));
    }
    let since_last = doubt.last.unwrap_or(doubt.since).age_or_zero(&now);
    match doubt.window {
        Some(window) if since_last.as_secs() + SLACK <= window => {
            Some((Form::Flagged(window), again))
        }
        // Wider than before: not the same to the byte, and so perhaps a copy.
        _ if doubt.forms >= FORMS_MAX => None,
        _ => {
            let window = window(age, equal);
            let forms = doubt.forms + 1;
            let again = Doubt {
                window: Some(window),
                forms,
                ..again
            };
            Some((Form::Flagged(window), again))
        }
    }
}

/// A window that reaches back to a doubt of this age, and not to an equal message before it.
fn window(age: u64, equal: Option<Duration>) -> u64 {
    let margin = match equal.map(|equal| equal.as_secs()) {
        // It went before the doubt: between the two there is so much room.
        Some(equal) if equal > age => ((equal - age) / 2).min(MARGIN_MAX),
        // It went after: nothing tells them apart.
        _ => MARGIN_MAX,
    };
    (age + margin).clamp(1, DUPLICATE_CHECK_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBER: About = About {
        compares: true,
        once: false,
        equal: None,
    };
    const CHAT: About = About {
        compares: false,
        ..MEMBER
    };

    fn at(second: u64) -> Stamp {
        Stamp::of_wall(1_764_000_000_000 + second * 1000)
    }

    #[test]
    fn the_first_resend_reaches_the_doubt_and_no_equal_message_before_it() {
        let doubt = Doubt::new(at(0), "late".to_owned());
        for (second, equal, window) in [
            (1, None, 601),
            (1, Some(1000), 500),
            (1, Some(5), 3),
            (1, Some(2), 1),
            (20, Some(80), 50),
            (20, Some(10), 620),
            (14_000, None, 14_400),
        ] {
            let equal = equal.map(Duration::from_secs);
            let (form, again) = next(Some(&doubt), About { equal, ..MEMBER }, at(second)).unwrap();
            assert_eq!(form, Form::Flagged(window), "{second} {equal:?}");
            assert_eq!((again.since, &*again.marks), (at(0), "late"));
        }
    }

    #[test]
    fn later_resends_are_the_same_while_the_window_reaches_the_one_before() {
        let first = Doubt::new(at(0), String::new());
        let (form, doubt) = next(Some(&first), MEMBER, at(10)).unwrap();
        assert_eq!(form, Form::Flagged(610));
        let (form, doubt) = next(Some(&doubt), MEMBER, at(600)).unwrap();
        assert_eq!(form, Form::Flagged(610));
        let (form, doubt) = next(Some(&doubt), MEMBER, at(1205)).unwrap();
        assert_eq!((form, doubt.forms), (Form::Flagged(610), 2));
        let (form, doubt) = next(Some(&doubt), MEMBER, at(5000)).unwrap();
        assert_eq!((form, doubt.forms), (Form::Flagged(5600), 3));
    }

    #[test]
    fn where_nothing_swallows_a_copy_there_is_one_resend_in_all() {
        let first = Doubt::new(at(0), String::new());
        let (form, doubt) = next(Some(&first), CHAT, at(1)).unwrap();
        assert_eq!(form, Form::Plain);
        assert_eq!(next(Some(&doubt), CHAT, at(2)), None);
        assert_eq!(next(Some(&doubt), CHAT, at(20_000)), None);
        // An app's, once WeCom compares no more; and then never again.
        let (form, doubt) = next(Some(&first), MEMBER, at(14_400)).unwrap();
        assert_eq!(form, Form::Plain);
        let after = next(Some(&doubt), MEMBER, at(14_460));
        assert_eq!(after, None, "a widened window would be one more");
    }

    #[test]
    fn what_is_not_in_doubt_goes_as_it_is() {
        let equal = Some(Duration::ZERO);
        let (form, doubt) = next(None, About { equal, ..MEMBER }, at(0)).unwrap();
        assert_eq!((form, doubt.forms), (Form::Plain, 1));
    }

    #[test]
    fn what_is_sent_only_once_is_flagged_from_the_first_on() {
        let once = About {
            once: true,
            ..MEMBER
        };
        let (form, doubt) = next(None, once, at(0)).unwrap();
        assert_eq!(form, Form::Flagged(600));
        let (form, doubt) = next(Some(&doubt), once, at(500)).unwrap();
        assert_eq!((form, doubt.forms), (Form::Flagged(600), 1));
        // An equal message of another key would swallow it.
        let equal = Some(Duration::from_secs(5));
        let (form, _) = next(None, About { equal, ..once }, at(0)).unwrap();
        assert_eq!(form, Form::Plain);
        let chat = About { once: true, ..CHAT };
        let (form, doubt) = next(None, chat, at(0)).unwrap();
        assert_eq!(form, Form::Plain);
        assert_eq!(next(Some(&doubt), chat, at(1)), None);
    }
}
