//! The calls of WeCom by their paths, what the stand-in was asked, and what it answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::standin::{AGENTID, Fault, Request, Standin};
use crate::support::PATIENCE;

pub(crate) const GETTOKEN: &str = "/cgi-bin/gettoken";
pub(crate) const SEND: &str = "/cgi-bin/message/send";
pub(crate) const UPLOAD: &str = "/cgi-bin/media/upload";
pub(crate) const ROBOT_UPLOAD: &str = "/cgi-bin/webhook/upload_media";
pub(crate) const WEBHOOK: &str = "/cgi-bin/webhook/send";
pub(crate) const APPCHAT: &str = "/cgi-bin/appchat/send";
pub(crate) const USER: &str = "/cgi-bin/user/get";
pub(crate) const CHAT: &str = "/cgi-bin/appchat/update";
pub(crate) const AGENT: &str = "/cgi-bin/agent/get";

/// The call by which a member gets a message, a chat, and a robot's group.
pub(crate) const CALLS: [&str; 3] = ["message/send", "appchat/send", "webhook/send"];

/// The messages among the requests behind so many others: the call, and the JSON in which each
/// upload stands by its kind and name.
pub(crate) fn wire(standin: &Standin, behind: usize) -> Vec<(String, Value)> {
    let uploads = standin.company().media.uploads.clone();
    let requests = standin.requests().split_off(behind);
    let messages = requests.iter().filter_map(|request| {
        let call = request.endpoint().strip_prefix("/cgi-bin/")?;
        let mut body = String::from_utf8(request.body.to_vec()).ok()?;
        for upload in &uploads {
            let name = format!("{}:{}", upload.kind, upload.filename);
            body = body.replace(&upload.media_id, &name);
        }
        let body = serde_json::from_str(&body).ok()?;
        CALLS.contains(&call).then(|| (call.to_owned(), body))
    });
    messages.collect()
}

pub(crate) fn refusal(code: i64) -> Fault {
    Fault::Errcode(code, "what WeCom says".to_owned())
}

/// Holds that the one request so far named neither company nor secret.
pub(crate) fn names_nobody(standin: &Standin) {
    let requests = standin.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].path.ends_with(GETTOKEN));
    assert!(requests[0].query.is_empty(), "{:?}", requests[0].query);
}

/// How an answer gets lost.
pub(crate) fn losses() -> Vec<(&'static str, Fault)> {
    vec![
        ("a reset", Fault::CutAfter),
        ("a reset before", Fault::CutBefore),
        ("half an answer", Fault::Truncated),
        ("a gateway", Fault::html(502)),
        (
            "a gateway behind",
            Fault::StatusAfter(504, vec![], String::new()),
        ),
        ("a page", Fault::Body("<html>log in".to_owned())),
        ("silence", Fault::HangProcessed),
    ]
}

/// The bodies of all messages that arrived, refused ones too.
pub(crate) fn bodies(standin: &Standin) -> Vec<Value> {
    let requests = standin.requests();
    let sends = requests
        .iter()
        .filter(|request| request.endpoint() == "/cgi-bin/message/send");
    sends.map(crate::standin::Request::json).collect()
}

/// Takes on so many more members, each for 30 messages a minute, and names them.
pub(crate) fn hire(standin: &Standin, count: usize) -> Vec<String> {
    let names = (0..count).map(|number| format!("hired{number:03}"));
    let names: Vec<String> = names.collect();
    take_on(standin, &names);
    names
}

/// Takes on members by these names.
pub(crate) fn take_on(standin: &Standin, names: &[String]) {
    let mut company = standin.company();
    let plain = company.members["member01"].clone();
    let members = names.iter().map(|name| (name.clone(), plain.clone()));
    company.members.extend(members);
}

/// Waits until so many requests have come for a path.
#[track_caller]
pub(crate) fn await_count(standin: &Standin, path: &str, count: usize) {
    let begun = Instant::now();
    while standin.count(path) < count {
        assert!(begun.elapsed() < PATIENCE, "nobody asks for {path}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What is said of a call that WeCom may have answered.
pub(crate) const NOT_KNOWN: &str = " was done is not known";

/// A code that is in no table.
pub(crate) const UNKNOWN: i64 = 987_654;

/// A message that does not pass: what is typed, the call that it takes, and what that call gets.
pub(crate) type Poison = (&'static str, &'static str, Fault);

/// Gives this fault to what is poisoned, and counts how often that is asked for.
pub(crate) fn poison(standin: &Standin, at: &'static str, fault: Fault) -> Arc<AtomicUsize> {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    standin.judge(move |request| {
        let poisoned = at != SEND || has(request, "poison");
        let hit = request.endpoint() == at && poisoned;
        count.fetch_add(usize::from(hit), Ordering::SeqCst);
        hit.then(|| fault.clone())
    });
    asked
}

/// Whether a request's body has this in it.
pub(crate) fn has(request: &Request, text: &str) -> bool {
    String::from_utf8_lossy(&request.body).contains(text)
}

/// Leaves the app no department to see.
pub(crate) fn sees_no_department(standin: &Standin) {
    let mut company = standin.company();
    company.apps.get_mut(&AGENTID).unwrap().parties.clear();
}
