//! The phones as a browser shows them: a page, what landed since it last asked, and the files.
//!
//! Nothing on the page comes from elsewhere or leads there by itself, and what a message says is never
//! markup: the browser is told so as well (Content-Security-Policy).

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::company::{Company, Reply};
use super::digest::md5_hex;
use super::media::{Upload, seconds};
use super::phones::Landed;
use super::request::Request;

/// What the browser may load and run: what is served here, and nothing within the page itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// The page's files: path, kind, text.
const FILES: [(&str, &str, &str); 8] = [
    ("/", "text/html", include_str!("index.html")),
    ("/page.css", "text/css", include_str!("page.css")),
    ("/page.js", "text/javascript", include_str!("page.js")),
    ("/dom.js", "text/javascript", include_str!("dom.js")),
    ("/kinds.js", "text/javascript", include_str!("kinds.js")),
    ("/card.js", "text/javascript", include_str!("card.js")),
    ("/article.js", "text/javascript", include_str!("article.js")),
    ("/marks.js", "text/javascript", include_str!("marks.js")),
];

/// Answers a browser on this machine, or returns `None` for what isn't the page's.
pub(super) fn answer(company: &Company, request: &Request) -> Option<Reply> {
    // A name that somebody has lead here would let a foreign page read along.
    let host = request.header("host")?;
    let local = ["127.0.0.1", "localhost"].contains(&host.split(':').next()?);
    if request.method != "GET" || !local {
        return None;
    }
    let asked = |key: &str| request.query.get(key).map_or("", String::as_str);
    match &*request.path {
        "/phones" => {
            let after = asked("after").parse().unwrap_or(0);
            Some(Reply::Json(news(company, Duration::from_millis(after))))
        }
        "/file" => file(company, asked("url"), asked("of"), asked("at")).map(served),
        path => {
            let (_, kind, text) = FILES.iter().find(|(name, ..)| *name == path)?;
            let kind = format!("{kind}; charset=utf-8");
            Some(sent(&kind, POLICY, Bytes::from_static(text.as_bytes())))
        }
    }
}

/// A message wherever it is: once, however many phones it is on.
struct Shown<'a> {
    landed: &'a Landed,
    sender: &'a str,
    places: Vec<Value>,
}

impl Shown<'_> {
    fn id(&self) -> String {
        let places = self.places.iter().map(|place| place["place"].as_str());
        id(self.landed, places.flatten().next().unwrap_or_default())
    }

    fn described(&self) -> Value {
        let (landed, id) = (self.landed, self.id());
        let mut body = landed.raw[&landed.msgtype].clone();
        if let Some(fields) = body.as_object_mut() {
            // The picture itself, which is among the files.
            fields.remove("base64");
        }
        let files = landed.media.iter().enumerate().map(|(at, file)| {
            json!({
                "name": file.filename,
                "size": file.bytes.len(),
                "seconds": seconds(&file.bytes),
                "url": format!("file?of={id}&at={at}"),
            })
        });
        json!({
            "id": id,
            "at": since_epoch(landed.at).as_millis(),
            "sender": self.sender,
            "places": self.places,
            "kind": landed.msgtype,
            "text": landed.text,
            "body": body,
            "safe": landed.safe != 0,
            "files": files.collect::<Vec<_>>(),
        })
    }
}

/// What landed after a time, what was recalled, and how much was dropped.
fn news(company: &Company, after: Duration) -> Value {
    let all = shown(company);
    let fresh = all
        .iter()
        .filter(|one| since_epoch(one.landed.at) > after)
        .map(Shown::described);
    let gone: BTreeSet<&str> = company
        .phones
        .recalled()
        .map(|(_, landed)| &*landed.msgid)
        .collect();
    let recalled = all
        .iter()
        .filter(|one| gone.contains(&*one.landed.msgid))
        .map(Shown::id);
    let agentid = company.apps.keys().next().copied().unwrap_or_default();
    json!({
        "company": std::process::id(),
        "always": [member(company, "zhangsan", agentid)],
        "dropped": company.phones.dropped,
        "landed": fresh.collect::<Vec<_>>(),
        "recalled": recalled.collect::<Vec<_>>(),
    })
}

/// Every message there is, oldest first.
fn shown(company: &Company) -> Vec<Shown<'_>> {
    let mut all: Vec<Shown<'_>> = Vec::new();
    for (landed, userids) in company.phones.messages() {
        let places = match &landed.chatid {
            Some(chatid) => vec![chat(company, chatid)],
            None => userids
                .into_iter()
                .map(|userid| member(company, userid, landed.agentid))
                .collect(),
        };
        let sender = app_name(company, landed.agentid);
        all.push(Shown {
            landed,
            sender,
            places,
        });
    }
    for (key, robot) in &company.robots {
        // By a digest: the key itself is the robot's whole secret.
        let place = json!({"place": format!("robot-{}", &md5_hex(key.as_bytes())[..8]), "title": robot.name, "owner": robot.name, "group": true});
        all.extend(robot.landed.iter().map(|landed| Shown {
            landed,
            sender: &robot.name,
            places: vec![place.clone()],
        }));
    }
    all.sort_by_key(|one| one.landed.at);
    all
}

fn member(company: &Company, userid: &str, agentid: i64) -> Value {
    json!({"place": userid, "title": app_name(company, agentid), "owner": userid})
}

fn chat(company: &Company, chatid: &str) -> Value {
    let chat = company.chats.get(chatid);
    let name = chat.map_or(chatid, |chat| &chat.name);
    let count = chat.map_or(0, |chat| chat.members.len());
    json!({"place": format!("chat-{chatid}"), "title": format!("{name} ({count})"), "owner": chatid, "group": true})
}

fn app_name(company: &Company, agentid: i64) -> &str {
    company
        .apps
        .get(&agentid)
        .map_or("", |app| app.name.as_str())
}

/// What a message is called here; two can have landed in the same moment.
fn id(landed: &Landed, place: &str) -> String {
    let seed = format!("{} {} {place}", landed.msgid, landed.text);
    let digest = md5_hex(seed.as_bytes());
    format!("{}-{}", since_epoch(landed.at).as_nanos(), &digest[..8])
}

fn since_epoch(at: SystemTime) -> Duration {
    at.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}

/// A picture by its address, or a message's file by its place.
fn file(company: &Company, url: &str, of: &str, at: &str) -> Option<Bytes> {
    let bytes = |upload: &Upload| upload.bytes.clone();
    if !url.is_empty() {
        let mut pictures = company.media.pictures.iter();
        return pictures
            .find(|(address, _)| address == url)
            .map(|(_, upload)| bytes(upload));
    }
    let all = shown(company);
    let message = all.iter().find(|one| one.id() == of)?;
    let at: usize = at.parse().ok()?;
    message.landed.media.get(at).map(bytes)
}

/// A file of a message: a picture to be looked at, or anything to be kept.
fn served(bytes: Bytes) -> Reply {
    let kind = if bytes.starts_with(b"\x89PNG") {
        "image/png"
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        "image/jpeg"
    } else {
        "application/octet-stream"
    };
    sent(kind, "default-src 'none'; sandbox", bytes)
}

fn sent(kind: &str, policy: &str, bytes: Bytes) -> Reply {
    let headers = [
        ("content-type", kind),
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Reply::File {
        headers: headers.into(),
        bytes,
    }
}
