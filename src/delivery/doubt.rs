//! Resending a request in doubt: one that may have been processed although no answer came.
//!
//! A resend asks WeCom to drop it if an equal request arrived within a window
//! (`enable_duplicate_check`). The window must reach back to the request in doubt, but not to an
//! equal alert before it, which would make WeCom drop the message. The window is fixed at the first
//! resend, so that all resends are equal to the byte. Chats and robots have no such check.
//! Source: developer.work.weixin.qq.com/document/path/90236.

use std::time::Duration;

use crate::clock::Stamp;
use crate::message::DUPLICATE_CHECK_MAX;
use crate::outbox::Doubt;

/// How far a window reaches beyond the first request in doubt, at most, in seconds. The same resend
/// can be repeated for that long.
const MARGIN_MAX: u64 = 3600;

/// Allowance for two clock readings with a network between them, in seconds.
const SLACK: u64 = 2;

/// Most forms of one message whose requests were lost. If WeCom compares bytes, each form may
/// arrive once; but giving up loses the message if none arrived. The third is needed after an hour.
const FORMS_MAX: u32 = 3;

/// `FORMS_MAX` for a message that must never arrive twice.
const FORMS_MAX_ONCE: u32 = 2;

/// `FORMS_MAX` if an equal message before it keeps the windows short.
const FORMS_MAX_BESIDE_AN_EQUAL: u32 = 4;

/// How a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Without the duplicate check.
    Plain,
    /// Flagged for WeCom's duplicate check, with a window of this many seconds.
    Flagged(u64),
}

/// The other facts that decide on the form of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circumstances {
    /// Whether WeCom's duplicate check covers this call.
    pub(super) compares: bool,
    /// Whether the message must never arrive twice.
    pub(super) once: bool,
    /// How long ago an equal message was sent; used at the first request only.
    pub(super) equal: Option<Duration>,
}

/// Returns the form of the next request and the doubt to record if its answer is lost; `None` if
/// another request could only be a duplicate.
pub(super) fn next(
    doubt: Option<&Doubt>,
    about: Circumstances,
    now: Stamp,
) -> Option<(Form, Doubt)> {
    let Circumstances {
        compares,
        once,
        equal,
    } = about;
    let Some(doubt) = doubt else {
        let fresh = Doubt {
            apart: equal.map(|equal| equal.as_secs()),
            ..Doubt::new(now, String::new())
        };
        let is_alone = equal.is_none_or(|equal| equal.as_secs() > MARGIN_MAX);
        if !once || !compares || !is_alone {
            return Some((Form::Plain, fresh));
        }
        // Flagged from the start, so that a resend is equal to the byte.
        let window = Some(MARGIN_MAX);
        let formed = Some(now);
        let fresh = Doubt {
            window,
            formed,
            ..fresh
        };
        return Some((Form::Flagged(MARGIN_MAX), fresh));
    };
    // If the clock was set back across a reboot, the age is unknown: use the widest window.
    let age = doubt.since.age(&now).map(|age| age.as_secs());
    let age = age.unwrap_or(DUPLICATE_CHECK_MAX - 1);
    if !compares || age >= DUPLICATE_CHECK_MAX {
        // WeCom can no longer drop a duplicate: allow one resend in all, unless no request got past
        // a gateway.
        let is_first = doubt.forms == 1 || compares && doubt.answered;
        let fresh = Doubt {
            apart: None,
            // Allow no further resend.
            forms: FORMS_MAX_BESIDE_AN_EQUAL,
            marks: doubt.marks.clone(),
            ..Doubt::new(now, String::new())
        };
        return (!once && is_first).then_some((Form::Plain, fresh));
    }
    // A dropped request may not count for the check: the window must reach the first of its form.
    let formed = doubt.formed.unwrap_or(doubt.since);
    let since_formed = formed.age(&now).map(|age| age.as_secs());
    let reaches = |window: &u64| since_formed.is_some_and(|age| age + SLACK <= *window);
    if let Some(window) = doubt.window.filter(reaches) {
        return Some((Form::Flagged(window), doubt.clone()));
    }
    let most = match doubt.apart {
        Some(_) => FORMS_MAX_BESIDE_AN_EQUAL,
        None if once => FORMS_MAX_ONCE,
        None => FORMS_MAX,
    };
    if doubt.forms >= most && !doubt.answered {
        return None;
    }
    let window = window_of(age, doubt.apart);
    let again = Doubt {
        window: Some(window),
        formed: Some(now),
        forms: doubt.forms + u32::from(!doubt.answered),
        ..doubt.clone()
    };
    Some((Form::Flagged(window), again))
}

/// Returns a window that reaches back to a doubt of this age, but not to an equal message `apart`
/// seconds before it.
fn window_of(age: u64, apart: Option<u64>) -> u64 {
    let margin = apart.map_or(MARGIN_MAX, |apart| (apart / 2).min(MARGIN_MAX));
    (age + margin).clamp(1, DUPLICATE_CHECK_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBER: Circumstances = Circumstances {
        compares: true,
        once: false,
        equal: None,
    };
    const CHAT: Circumstances = Circumstances {
        compares: false,
        ..MEMBER
    };

    fn at(second: u64) -> Stamp {
        Stamp::of_wall(1_764_000_000_000 + second * 1000)
    }

    #[test]
    fn a_window_reaches_the_doubt_but_no_equal_message_before_it() {
        for (second, apart, window) in [
            (1, None, 3601),
            (1, Some(999), 500),
            (1, Some(4), 3),
            (1, Some(1), 1),
            (20, Some(60), 50),
            (14_000, None, 14_400),
        ] {
            let doubt = Doubt {
                apart,
                ..Doubt::new(at(0), "late".to_owned())
            };
            let (form, again) = next(Some(&doubt), MEMBER, at(second)).unwrap();
            assert_eq!(form, Form::Flagged(window), "{second} {apart:?}");
            assert_eq!((again.since, &*again.marks), (at(0), "late"));
        }
    }

    #[test]
    fn resends_stay_equal_while_their_window_reaches_the_first() {
        let first = Doubt::new(at(0), String::new());
        let (form, doubt) = next(Some(&first), MEMBER, at(10)).unwrap();
        assert_eq!(form, Form::Flagged(3610));
        let (form, doubt) = next(Some(&doubt), MEMBER, at(3600)).unwrap();
        assert_eq!(form, Form::Flagged(3610));
        let (form, third) = next(Some(&doubt), MEMBER, at(4000)).unwrap();
        assert_eq!((form, third.forms), (Form::Flagged(7600), 3));
        let (form, third) = next(Some(&third), MEMBER, at(8000)).unwrap();
        assert_eq!((form, third.forms), (Form::Flagged(7600), 3));
        assert_eq!(next(Some(&third), MEMBER, at(12_000)), None);
        let once = Circumstances {
            once: true,
            ..MEMBER
        };
        assert_eq!(next(Some(&doubt), once, at(4000)), None, "it may be a copy");
        // A request that a gateway answered was probably not passed on.
        let answered = Doubt {
            answered: true,
            ..doubt
        };
        let (form, again) = next(Some(&answered), MEMBER, at(4000)).unwrap();
        assert_eq!((form, again.forms), (Form::Flagged(7600), 2));
        let (form, _) = next(Some(&answered), MEMBER, at(14_400)).unwrap();
        assert_eq!(form, Form::Plain);
    }

    #[test]
    fn without_a_duplicate_check_there_is_one_resend() {
        let first = Doubt::new(at(0), String::new());
        let (form, doubt) = next(Some(&first), CHAT, at(1)).unwrap();
        assert_eq!(form, Form::Plain);
        assert_eq!(next(Some(&doubt), CHAT, at(2)), None);
        assert_eq!(next(Some(&doubt), CHAT, at(20_000)), None);
        // An app's message after the duplicate check has lapsed: one resend, then no more.
        let (form, doubt) = next(Some(&first), MEMBER, at(14_400)).unwrap();
        assert_eq!(form, Form::Plain);
        assert_eq!(next(Some(&doubt), MEMBER, at(14_460)), None);
    }

    #[test]
    fn a_first_request_is_not_flagged() {
        let equal = Some(Duration::ZERO);
        let (form, doubt) = next(None, Circumstances { equal, ..MEMBER }, at(0)).unwrap();
        assert_eq!((form, doubt.forms), (Form::Plain, 1));
    }

    #[test]
    fn a_once_message_is_flagged_from_the_first_request_on() {
        let once = Circumstances {
            once: true,
            ..MEMBER
        };
        let (form, doubt) = next(None, once, at(0)).unwrap();
        assert_eq!(form, Form::Flagged(3600));
        let (form, doubt) = next(Some(&doubt), once, at(500)).unwrap();
        assert_eq!((form, doubt.forms), (Form::Flagged(3600), 1));
        // WeCom would drop it as a duplicate of an equal message with another key.
        let equal = Some(Duration::from_secs(5));
        let (form, _) = next(None, Circumstances { equal, ..once }, at(0)).unwrap();
        assert_eq!(form, Form::Plain);
        let chat = Circumstances { once: true, ..CHAT };
        let (form, doubt) = next(None, chat, at(0)).unwrap();
        assert_eq!(form, Form::Plain);
        assert_eq!(next(Some(&doubt), chat, at(1)), None);
    }
}
