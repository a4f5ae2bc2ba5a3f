//! `wxpush http`: answers one HTTP request on stdin and stdout, for a socket unit or inetd.

mod alerts;
mod apprise;
mod body;
mod connection;
mod deliver;
mod fault;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;
mod gotify;
mod json;
mod multipart;
mod note;
mod ntfy;
mod pushplus;
mod request;
mod serverchan;
mod service;
mod uptime_kuma;

use std::io::{self, IsTerminal};

use super::{begin_or_without, load, recipients};
use crate::cli::{self, Global};
use crate::config::{Account, Config, FoundKey, HttpKey, Settings};
use crate::error::{Exit, Failure};
use crate::message::Channel;
use crate::output::{self, Output};
use crate::request_head;
use crate::text::http as words;
use body::BodyForm;
use connection::Connection;
use fault::RequestFault;
use note::Note;
use request::HttpRequest;
use service::{Service, ServiceReply};

/// The most bytes of a request's head.
const HEAD_MAX: usize = 16 << 10;

/// The most bytes of a body. Source: the contract.
const BODY_MAX: usize = 1 << 20;

/// The most bytes of a body that is a file: WeCom's largest.
const FILE_MAX: usize = 20 << 20;

/// Runs `http`.
pub(super) fn run(
    args: &cli::HttpCommand,
    global: &Global,
    output: Output,
) -> anyhow::Result<Exit> {
    if io::stdin().is_terminal() {
        return Err(words::terminal().into());
    }
    output::mute_if_inetd();
    let loaded = load(global).and_then(|config| {
        let has_keys = config.has_http_keys();
        has_keys.then_some(config).ok_or_else(words::no_keys)
    });
    let mut exchange = Exchange {
        connection: Connection::begin(args.timeout),
        request: None,
        service: None,
        key: String::new(),
    };
    let asked = exchange.receive(loaded.as_ref());
    let (reply, failure) = match asked {
        Ok(asked) => exchange.deliver(asked, output),
        Err(refused) => {
            if let Ok(config) = &loaded {
                // Only the log: there may be no state.
                let _ = begin_or_without(&config.base(), output);
            }
            let Some((reply, failure)) = exchange.refuse(refused) else {
                return Ok(Exit::Sent);
            };
            (reply, failure)
        }
    };
    exchange.answer(&reply)?;
    failure.map_or(Ok(Exit::Sent), |failure| Err(failure.into()))
}

/// Why a request is refused.
enum RequestRefused {
    Fault(RequestFault),
    /// With this status, and why.
    Status(u16, String),
    /// It asks what may be asked, and wants nothing sent.
    Question(u16),
    /// Its key is none of those that can be read; and why others cannot.
    WrongKey(Option<Failure>),
    /// The set-up is at fault.
    Setup(Failure),
}

impl<T: Into<RequestFault>> From<T> for RequestRefused {
    fn from(fault: T) -> Self {
        Self::Fault(fault.into())
    }
}

/// A message of a known sender, and its way.
struct AcceptedRequest<'a> {
    config: &'a Config,
    settings: Settings,
    channel: Channel,
    note: Note,
}

/// A request and its answer.
struct Exchange {
    connection: Connection,
    request: Option<HttpRequest>,
    service: Option<&'static (dyn Service + Sync)>,
    /// The name of the key.
    key: String,
}

impl Exchange {
    /// Reads a request. Its body is read only where its head has no wrong key.
    fn receive<'a>(
        &mut self,
        config: Result<&'a Config, &Failure>,
    ) -> Result<AcceptedRequest<'a>, RequestRefused> {
        let head = request_head::read(&mut self.connection, HEAD_MAX)?;
        let request = HttpRequest::of(&head).ok_or(RequestFault::Malformed)?;
        let request = self.request.insert(request);
        match &*request.method {
            "HEAD" => return Err(RequestRefused::Question(200)),
            "OPTIONS" => return Err(RequestRefused::Question(204)),
            _ => {}
        }
        let service = service::of(request);
        let service = service.ok_or_else(|| RequestRefused::Status(404, words::unknown_path()))?;
        self.service = Some(service);
        let config = config.map_err(|failure| RequestRefused::Setup(failure.clone()))?;
        let given = service.key(request);
        let known = given.map(|key| known(config, &key)).transpose()?;
        if known.is_some() {
            self.connection.trust();
        }
        let form = BodyForm::of(&head)?;
        let max = match known {
            Some(_) if service.is_large(request) => FILE_MAX,
            _ => BODY_MAX,
        };
        if form.expects_leave(&head, max)? {
            Connection::go_on().map_err(RequestRefused::Setup)?;
        }
        let (body, behind) = form.read(head.rest, &mut self.connection, max)?;
        self.connection.is_unread = !behind.is_empty();
        request.body = body;
        let (name, key) = match known {
            Some(known) => known,
            None => known_or_wrong(config, service.key(request))?,
        };
        name.clone_into(&mut self.key);
        let settings = config.http_settings(key).map_err(setup)?;
        let settings = recipients::complete(settings).map_err(RequestRefused::Setup)?;
        let note = service.note(request, settings.phone_lang);
        let note = note.map_err(|why| RequestRefused::Status(400, why))?;
        let channel = match &settings.account {
            Account::Robot(_) => Channel::Robot,
            Account::App(_) if key.is_for_chat() => Channel::Chat,
            Account::App(_) => Channel::App,
        };
        Ok(AcceptedRequest {
            config,
            settings,
            channel,
            note,
        })
    }

    /// Returns the answer to a refused request, and a failure of our own; `None` if nobody is there
    /// to read it.
    fn refuse(&mut self, refused: RequestRefused) -> Option<(ServiceReply, Option<Failure>)> {
        let request = self.request.as_ref();
        let (status, words, failure) = match refused {
            RequestRefused::Fault(fault) => (fault.status()?, fault.words(), None),
            RequestRefused::Status(status, words) => (status, words, None),
            RequestRefused::Question(status) => (status, String::new(), None),
            RequestRefused::WrongKey(failure) => {
                self.connection.wait_for_refusal();
                let status = self.service.zip(request).map(|(it, of)| it.refusal(of));
                (status.unwrap_or(401), words::wrong_key(), failure)
            }
            RequestRefused::Setup(failure) => {
                self.connection.wait_for_refusal();
                (500, words::not_set_up(), Some(failure))
            }
        };
        tracing::info!(
            command = "http",
            service = self.service.map(Service::name),
            from = Connection::peer(),
            status,
            why = words,
            "refused"
        );
        Some((ServiceReply::new(status, words), failure))
    }

    /// Writes the answer, in the form of the service if it is known.
    fn answer(&mut self, reply: &ServiceReply) -> Result<(), Failure> {
        let answer = match self.service {
            Some(service) => service.answer(reply),
            None => reply.as_json(),
        };
        let is_question = reply.words.is_empty() && self.service.is_none();
        let body = if is_question {
            String::new()
        } else {
            format!("{answer}\n")
        };
        self.connection.answer(reply.status, &body)
    }
}

/// Returns the key that a request gives, with its name.
fn known<'a>(config: &'a Config, given: &str) -> Result<(&'a str, &'a HttpKey), RequestRefused> {
    match config.http_key(given).map_err(setup)? {
        FoundKey::Known(name, key) => Ok((name, key)),
        FoundKey::Unknown(fault) => Err(RequestRefused::WrongKey(fault.map(Failure::from))),
    }
}

fn known_or_wrong(
    config: &Config,
    given: Option<String>,
) -> Result<(&str, &HttpKey), RequestRefused> {
    known(config, &given.ok_or(RequestRefused::WrongKey(None))?)
}

fn setup(error: crate::config::ConfigError) -> RequestRefused {
    RequestRefused::Setup(error.into())
}
