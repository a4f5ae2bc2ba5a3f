//! Fuzz target: any bytes are a request or refused, and what a request says becomes a draft without
//! markup or control characters.

use super::body::BodyForm;
use super::request::HttpRequest;
use super::service::{self, ServiceReply};
use super::{BODY_MAX, HEAD_MAX};
use crate::compose::Body;
use crate::lang::Lang;
use crate::message::Channel;
use crate::request_head;

/// Reads a request, and makes the message and the answers of the service that it is for.
pub(crate) fn request(bytes: &[u8]) {
    let mut bytes = bytes;
    let Ok(head) = request_head::read(&mut bytes, HEAD_MAX) else {
        return;
    };
    let Some(mut request) = HttpRequest::of(&head) else {
        return;
    };
    let Some(service) = service::of(&request) else {
        return;
    };
    let _ = service.key(&request);
    let Ok(form) = BodyForm::of(&head) else {
        return;
    };
    if form.expects_leave(&head, BODY_MAX).is_err() {
        return;
    }
    let Ok((body, _)) = form.read(head.rest, &mut bytes, BODY_MAX) else {
        return;
    };
    assert!(body.len() <= BODY_MAX);
    request.body = body;
    let _ = service.key(&request);
    for status in [200, 400, 401] {
        let reply = ServiceReply::new(status, "words".to_owned());
        assert!(service.answer(&reply).is_object());
    }
    let _ = service.refusal(&request);
    for (lang, channel) in [(Lang::Zh, Channel::App), (Lang::En, Channel::Robot)] {
        let Ok(note) = service.note(&request, lang) else {
            continue;
        };
        let Ok(draft) = note.draft(channel, true) else {
            continue;
        };
        let Body::Text {
            title,
            text,
            from_outside,
            ..
        } = draft.body
        else {
            panic!("a note is a text");
        };
        let unclean = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        assert!(from_outside && !text.contains(unclean), "{text:?}");
        assert!(title.is_none_or(|it| !it.contains(char::is_control) || it.contains('\t')));
    }
}
