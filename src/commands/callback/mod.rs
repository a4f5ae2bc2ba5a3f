//! `wxpush callback`: answers WeCom's check of a 接收消息服务器URL, so that trusted IPs can be
//! entered.

mod server;

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::load;
use crate::cli::{Callback, Global};
use crate::config::{self, Account, ApiBase, Config, Network};
use crate::duration;
use crate::error::{Exit, Failure};
use crate::output::{self, Output};
use crate::text::callback as text;
use crate::token::Tokens;
use crate::wecom::callback::{CallbackFault, CallbackKeys};
use crate::wecom::{About, Client, Credential};
use server::{Heard, serve};

/// The time in which WeCom may say which address it sees.
const LOOK: Duration = Duration::from_secs(5);

/// The port without `--listen`, as the help says.
const PORT: u16 = 8080;

/// The time without `--for`, as the help says.
const TIME: Duration = Duration::from_mins(10);

/// How long a second check may be followed by a third. Source: the contract.
const GRACE: Duration = Duration::from_secs(1);

/// The most wrong checks that are told of: anybody can send some.
const TOLD: usize = 20;

/// Runs `callback`.
pub(super) fn run(args: &Callback, global: &Global, output: Output) -> anyhow::Result<Exit> {
    let config = load(global)?;
    let corpid = config.corpid()?;
    let server = Server::bind(args)?;
    let seen = address_seen(&config);
    let is_direct = config.network().is_ok_and(|it| is_direct(&it));
    server.wait(&corpid, seen, is_direct, output)
}

/// Waits for the check of a company in the middle of `init`, as `callback` does without options.
/// WeCom has said which address it sees; `is_direct` if it leads here.
///
/// # Errors
/// As `callback`.
pub(super) fn within_init(
    corpid: &str,
    seen: Option<&str>,
    is_direct: bool,
) -> anyhow::Result<Exit> {
    let seen = seen.and_then(|address| address.parse().ok());
    let args = Callback {
        listen: SocketAddr::from(([0, 0, 0, 0], PORT)),
        time: TIME,
    };
    let output = Output {
        // Its lines are those of a dialogue, on stderr.
        quiet: true,
        ..Output::default()
    };
    Server::bind(&args)?.wait(corpid, seen, is_direct, output)
}

/// Whether WeCom sees this host itself, not a proxy or relay.
pub(super) fn is_direct(network: &Network) -> bool {
    network.proxy.is_none() && network.api_base == ApiBase::wecom()
}

/// A server that listens.
struct Server {
    listener: TcpListener,
    keys: CallbackKeys,
    time: Duration,
}

impl Server {
    fn bind(args: &Callback) -> anyhow::Result<Self> {
        let [token, key] = config::callback_variables()?;
        let keys = CallbackKeys::new(token, key).map_err(|_| text::no_random_bytes())?;
        let listener = TcpListener::bind(args.listen);
        Ok(Self {
            listener: listener.map_err(|error| refused(args, &error))?,
            keys,
            time: args.time,
        })
    }

    /// Shows what is to be entered, and answers until the time is up or two checks were right.
    ///
    /// `seen` is this host's address as WeCom sees it; `is_direct` if it leads here.
    fn wait(
        self,
        corpid: &str,
        seen: Option<IpAddr>,
        is_direct: bool,
        output: Output,
    ) -> anyhow::Result<Exit> {
        let port = self.listener.local_addr()?.port();
        // WeCom knows IPv4 alone, and it is there that we listen.
        let host = seen.filter(|address| is_direct && address.is_ipv4());
        let url = url(host, port);
        let (keys, time) = (self.keys, duration::show(self.time));
        tell(&text::to_be_entered(&url, keys.token(), keys.key()), output)?;
        if host.is_none() {
            tell(&text::replace_the_address(), output)?;
        }
        tell(&text::waiting(port, &time), output)?;
        let (sender, asked) = mpsc::channel();
        let (listener, company) = (self.listener, Arc::from(corpid));
        let keys = Arc::new(keys);
        thread::Builder::new().spawn(move || serve(&listener, &keys, &company, &sender))?;
        let mut wait = Wait::new(self.time);
        while let Ok(asked) = asked.recv_timeout(wait.left()) {
            match asked {
                Heard::Check if wait.is_first_check() => {
                    tell(&text::answered(), output)?;
                    tell(&next(seen), output)?;
                }
                Heard::Check => {}
                Heard::Wrong(fault) => wait.wrong(&fault, corpid),
                Heard::Other if output.verbose > 0 => output.note(&text::other_request()),
                Heard::Other => {}
            }
        }
        if wait.checks == 0 {
            return Err(wait.unanswered(&time).into());
        }
        if output.json {
            let checks = wait.checks;
            output::object(
                &json!({"url": url, "address": seen.map(|it| it.to_string()), "checks": checks}),
            )?;
        }
        Ok(Exit::Sent)
    }
}

/// Shows lines on stdout; on stderr if that is for one object alone, or in a dialogue.
fn tell(lines: &str, output: Output) -> Result<(), Failure> {
    lines.lines().try_for_each(|line| {
        if output.json || output.quiet {
            output::diagnostic(&output::visible(line));
            return Ok(());
        }
        output::result(line)
    })
}

/// What has happened while waiting.
struct Wait {
    end: Instant,
    checks: usize,
    wrong: usize,
    last: Option<Failure>,
}

impl Wait {
    fn new(time: Duration) -> Self {
        Self {
            end: Instant::now() + time,
            checks: 0,
            wrong: 0,
            last: None,
        }
    }

    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Counts a right check; the second is soon followed by the end.
    fn is_first_check(&mut self) -> bool {
        self.checks += 1;
        if self.checks == 2 {
            self.end = self.end.min(Instant::now() + GRACE);
        }
        self.checks == 1
    }

    /// Tells of a wrong check.
    fn wrong(&mut self, fault: &CallbackFault, corpid: &str) {
        let failure = match fault {
            CallbackFault::Signature => text::other_token(),
            CallbackFault::Key => text::other_key(),
            CallbackFault::Company(company) => text::other_company(company, corpid),
        };
        self.wrong += 1;
        if self.wrong <= TOLD {
            Output::default().failure(&failure);
        }
        self.last = Some(failure);
    }

    /// Returns the failure for a time without a right check.
    fn unanswered(&mut self, time: &str) -> Failure {
        match self.last.take().and_then(|last| last.hint) {
            Some(hint) => text::none_right(time).hint(hint),
            None => text::none_came(time),
        }
    }
}

/// Returns this host's address as WeCom sees it, which it says only when it refuses it.
fn address_seen(config: &Config) -> Option<IpAddr> {
    let settings = config.settings(None).ok()?;
    let Account::App(account) = &settings.account else {
        return None;
    };
    let agentid = settings.agentid(account).ok()?;
    let client = Rc::new(Client::new(&settings.network, &account.corpsecret).ok()?);
    let state = config.base().state().ok();
    let tokens = Tokens::new(&client, &settings.network, account, state.as_ref());
    let deadline = Instant::now() + LOOK;
    let token = tokens.get(deadline).ok()?;
    let refused = client.agent(Credential::token(&token.value), agentid, deadline);
    let error = refused.err()?;
    let refusal = error.refusal().filter(|it| it.about == About::Ip)?;
    refusal.address()?.parse().ok()
}

/// Returns the URL to enter, with a placeholder unless the host's address is known.
fn url(host: Option<IpAddr>, port: u16) -> String {
    let host = host.map_or_else(text::public_address, |host| host.to_string());
    format!("http://{host}:{port}/")
}

/// Returns what to do once the URL is accepted.
fn next(seen: Option<IpAddr>) -> String {
    match seen {
        Some(address @ IpAddr::V4(_)) => text::enter_the_address(address),
        Some(address @ IpAddr::V6(_)) => text::address_is_ipv6(address),
        None => text::enter_the_address(text::address_by_check()),
    }
}

/// Returns the failure for an address that cannot be listened at.
fn refused(args: &Callback, error: &std::io::Error) -> Failure {
    let listen = args.listen;
    match error.kind() {
        std::io::ErrorKind::AddrInUse => text::port_taken(listen),
        std::io::ErrorKind::PermissionDenied => text::port_of_root(listen),
        std::io::ErrorKind::AddrNotAvailable => text::address_of_others(listen),
        _ => text::cannot_listen(listen, error),
    }
}
