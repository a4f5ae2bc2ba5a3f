//! The consumers of examples/brokers, by the real servers, while consumers and wxpush are killed.

#![expect(
    clippy::print_stdout,
    reason = "the figures and the seed, shown with --nocapture"
)]

use std::env;
use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::standin::Standin;
use crate::support::dice::{Dice, count};
use crate::support::documents::pair;
use crate::support::machine::Machine;
use crate::support::{Sandbox, config, flush, hire, is_wanted, last_lines, set_up, texts, waiting};

const MEMBERS: usize = 20;

/// After how many messages somebody is killed.
const STEP: usize = 16;

/// Longest wait for the last message: a broker that lost its consumer waits a while before it asks
/// another one, and WeCom takes 30 messages a minute.
const PATIENCE: Duration = Duration::from_mins(5);

/// A broker that runs in a directory of its own, its clients' settings, and its producer: a program
/// in Python that sends each line of stdin.
struct Broker {
    server: Child,
    settings: Vec<(&'static str, String)>,
    consumer: &'static str,
    producer: &'static str,
}

impl Drop for Broker {
    fn drop(&mut self) {
        // The server's children are in its group.
        let _ = Command::new("kill")
            .args(["-9", "--", &format!("-{}", self.server.id())])
            .status();
        let _ = self.server.wait();
    }
}

/// A port of loopback that nobody listens at.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Starts a server in a group of its own, and waits until it listens.
fn started(command: &mut Command, port: u16) -> Child {
    let server = command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    awaits(port);
    server
}

/// Waits until somebody listens at a port.
fn awaits(port: u16) {
    let is_up = (0..600).any(|_| {
        thread::sleep(Duration::from_millis(100));
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    assert!(is_up, "nobody listens");
}

fn redis(sandbox: &Sandbox) -> Broker {
    let port = free_port();
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--save", "", "--port"]);
    command.arg(port.to_string()).arg("--dir");
    Broker {
        server: started(command.arg(sandbox.path("")), port),
        settings: vec![("REDIS_URL", format!("redis://127.0.0.1:{port}/0"))],
        consumer: "redis_streams.py",
        producer: "\
import os, sys, redis
server = redis.Redis.from_url(os.environ['REDIS_URL'])
for line in sys.stdin:
    server.xadd('wxpush', {'message': line})
",
    }
}

fn nats(sandbox: &Sandbox) -> Broker {
    let port = free_port();
    let mut command = Command::new("nats-server");
    command.args(["-js", "-a", "127.0.0.1", "-p", &port.to_string(), "-sd"]);
    Broker {
        server: started(command.arg(sandbox.path("nats")), port),
        settings: vec![("NATS_URL", format!("nats://127.0.0.1:{port}"))],
        consumer: "nats_jetstream.py",
        // Each twice: the server knows the second by its id.
        producer: "\
import asyncio, os, sys, nats
async def main():
    server = await nats.connect(os.environ['NATS_URL'])
    for line in sys.stdin:
        for _ in range(2):
            await server.jetstream().publish('wxpush', line.encode(), headers={'Nats-Msg-Id': line})
    await server.close()
asyncio.run(main())
",
    }
}

fn rabbitmq(sandbox: &Sandbox) -> Broker {
    let [port, distribution, names] = [(); 3].map(|()| free_port());
    let home = sandbox.path("rabbitmq");
    fs::create_dir(&home).unwrap();
    let mut command = Command::new("sh");
    // Else it would start epmd as a daemon, which stays.
    let script = "epmd & exec /usr/lib/rabbitmq/bin/rabbitmq-server";
    command
        .args(["-c", script])
        .env("HOME", &home)
        .env("RABBITMQ_MNESIA_BASE", &home)
        .env("RABBITMQ_LOG_BASE", &home)
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", home.join("plugins"))
        .env("RABBITMQ_NODENAME", format!("wxpush{port}@localhost"))
        .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_NODE_PORT", port.to_string())
        .env("RABBITMQ_DIST_PORT", distribution.to_string())
        .env("ERL_EPMD_PORT", names.to_string())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1");
    let url = format!("amqp://guest:guest@127.0.0.1:{port}");
    Broker {
        server: started(&mut command, port),
        settings: vec![("AMQP_URL", url)],
        consumer: "rabbitmq.py",
        producer: "\
import os, sys, pika
connection = pika.BlockingConnection(pika.URLParameters(os.environ['AMQP_URL']))
channel = connection.channel()
channel.confirm_delivery()
for line in sys.stdin:
    about = pika.BasicProperties(message_id=line, delivery_mode=2)
    channel.basic_publish('', 'wxpush', line.encode(), about, mandatory=True)
connection.close()
",
    }
}

impl Broker {
    /// A program in Python with the settings of this broker's clients, and wxpush in its path.
    fn python(&self, sandbox: &Sandbox) -> Command {
        let mut command = Command::new("/usr/bin/python3");
        let path = sandbox.path("").display().to_string();
        command
            .env("PATH", format!("{path}:/usr/bin:/bin"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env_remove("SSLKEYLOGFILE")
            .envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    fn consume(&self, sandbox: &Sandbox) -> Child {
        let script = format!(
            "{}/examples/brokers/{}",
            env!("CARGO_MANIFEST_DIR"),
            self.consumer
        );
        let mut command = self.python(sandbox);
        command.arg(script).stdin(Stdio::null());
        command.spawn().unwrap()
    }

    /// Hands messages to the broker, one a line.
    fn produce(&self, sandbox: &Sandbox, lines: &str) {
        let mut command = self.python(sandbox);
        command.args(["-c", self.producer]).stdin(Stdio::piped());
        let mut producer = command.spawn().unwrap();
        let mut stdin = producer.stdin.take().unwrap();
        stdin.write_all(lines.as_bytes()).unwrap();
        drop(stdin);
        assert!(producer.wait().unwrap().success());
    }
}

/// The children of a process that run this program.
fn children(parent: u32, name: &str) -> Vec<u32> {
    let numbers = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let name = entry.ok()?.file_name();
        name.to_str()?.parse().ok()
    });
    let is_ours = |id: &u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        stat.starts_with(&format!("{id} ({name}) ")) && {
            let rest = stat.rsplit(") ").next().unwrap_or_default();
            rest.split(' ').nth(1) == Some(&parent.to_string())
        }
    };
    numbers.filter(is_ours).collect()
}

fn kill(id: u32) {
    let id = nix::unistd::Pid::from_raw(id.cast_signed());
    // It may have ended meanwhile.
    let _ = nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGKILL);
}

/// Passes messages through a broker while its consumer and wxpush are killed: each comes once.
fn each_comes_once(begin: fn(&Sandbox) -> Broker) {
    let (standin, sandbox) = set_up();
    let members = hire(&standin, MEMBERS);
    let dice = Dice::new("brokers");
    let broker = begin(&sandbox);
    let mut consumer = broker.consume(&sandbox);
    thread::sleep(Duration::from_secs(1));
    let count = count("WXPUSH_BROKERS_COUNT", 400);
    let text = |number: usize| format!("no-{number:04}");
    let line =
        |number| json!({"to": members[number % MEMBERS], "text": text(number)}).to_string() + "\n";
    // One that is never sent, while its profile is not there, and one that is a file of this host:
    // neither holds up the others.
    let raw = json!({"touser": members[0], "msgtype": "text", "text": {"content": "of this host"}});
    sandbox.write("raw.json", raw.to_string());
    let unknown = json!({"to": members[0], "profile": "none", "text": "unknown"});
    let local = json!({"raw": sandbox.path("raw.json")});
    broker.produce(&sandbox, &format!("{unknown}\n{local}\n"));
    let (mut consumers, mut senders) = (0, 0);
    for first in (0..count).step_by(STEP) {
        let lines: String = (first..count.min(first + STEP)).map(line).collect();
        broker.produce(&sandbox, &lines);
        thread::sleep(Duration::from_millis(dice.roll(120)));
        let sending = children(consumer.id(), "wxpush");
        if dice.roll(2) == 0 && !sending.is_empty() {
            sending.into_iter().for_each(kill);
            senders += 1;
        } else {
            consumer.kill().unwrap();
            consumer.wait().unwrap();
            consumer = broker.consume(&sandbox);
            consumers += 1;
        }
    }
    let landed = || -> usize { members.iter().map(|it| texts(&standin, it).len()).sum() };
    let begun = Instant::now();
    while (landed() < count || !waiting(&sandbox).is_empty()) && begun.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(100));
    }
    flush(&sandbox).is_silent();
    // What comes twice would come now.
    thread::sleep(Duration::from_secs(2));
    consumer.kill().unwrap();
    consumer.wait().unwrap();
    println!("{count} messages, killed: {consumers} consumers, {senders} wxpush");
    assert!(consumers + senders >= count / STEP);
    for (which, member) in members.iter().enumerate() {
        let mut read = last_lines(texts(&standin, member));
        read.sort();
        let expected: Vec<String> = (which..count).step_by(MEMBERS).map(text).collect();
        assert_eq!(read, expected, "{member}");
    }
}

#[test]
#[ignore = "needs redis-server, python3-redis, and WXPUSH_BROKERS=1: it takes half a minute"]
fn through_redis_each_message_comes_once() {
    if is_wanted("WXPUSH_BROKERS") {
        each_comes_once(redis);
    }
}

#[test]
#[ignore = "needs nats-server, nats-py, and WXPUSH_BROKERS=1: it takes a minute"]
fn through_nats_each_message_comes_once() {
    if is_wanted("WXPUSH_BROKERS") {
        each_comes_once(nats);
    }
}

#[test]
#[ignore = "needs rabbitmq-server, python3-pika, and WXPUSH_BROKERS=1: it is large to install"]
fn through_rabbitmq_each_message_comes_once() {
    if is_wanted("WXPUSH_BROKERS") {
        each_comes_once(rabbitmq);
    }
}

#[test]
#[ignore = "needs rabbitmq-server, amqp-tools, and WXPUSH_BROKERS=1: it is large to install"]
fn rabbitmqs_own_client_can_hand_each_message_to_send() {
    if !is_wanted("WXPUSH_BROKERS") {
        return;
    }
    let (standin, sandbox) = set_up();
    let broker = rabbitmq(&sandbox);
    let (_, url) = &broker.settings[0];
    let amqp = |tool: &str, rest: &[&str]| {
        let mut command = Command::new(tool);
        let path = sandbox.path("").display().to_string();
        command.env("PATH", format!("{path}:/usr/bin:/bin"));
        command.args(["-u", url]).args(rest);
        assert!(command.status().unwrap().success(), "{tool}");
    };
    amqp("amqp-declare-queue", &["-d", "-q", "wxpush"]);
    let numbers: Vec<String> = (0..19).map(|number| format!("no-{number:04}")).collect();
    for number in &numbers {
        amqp("amqp-publish", &["-r", "wxpush", "-b", number]);
    }
    let consume = ["-q", "wxpush", "-p", "1", "-c", "19", "--"];
    let send = ["wxpush", "send", "--kept-ok", "-"];
    amqp("amqp-consume", &[&consume[..], &send].concat());
    assert_eq!(texts(&standin, "lisi"), numbers);
}

/// Sends 150 mails to root, by SMTP to a port of loopback.
const STORM: &str = "\
import smtplib, sys
server = smtplib.SMTP('127.0.0.1', int(sys.argv[1]))
for number in range(150):
    text = f'From: cron@web{number % 7}\\nTo: root@web{number % 7}\\nSubject: no-{number:04}\\n\\nlate\\n'
    server.sendmail('cron@web.example', f'root@web{number % 7}.example', text)
server.quit()
";

/// Makes a machine the mail relay of the pages, which listens at this port.
fn relay(machine: &Machine, sandbox: &Sandbox, standin: &Standin, port: u16) {
    let [page, _] = pair("relays");
    let [main, master] = page.blocks("cf")[..] else {
        panic!("two files of Postfix");
    };
    let [state, receivers] = page.blocks("toml")[..] else {
        panic!("two pieces of the config");
    };
    fs::copy(sandbox.path("wxpush"), machine.path("/usr/bin/wxpush")).unwrap();
    machine.sh("mkdir -p /etc/wxpush").exits(0);
    machine.write("/etc/wxpush/config.toml", config(&standin.base()));
    let set_up = page.text.split("```\n").nth(1).unwrap();
    machine.sh(set_up).exits(0);
    let relay = machine.read("/etc/wxpush/config.toml");
    machine.write(
        "/etc/wxpush/relay.toml",
        format!("{state}{relay}\n{receivers}"),
    );
    let loopback = format!("inet_interfaces = 127.0.0.1\nmyhostname = relay.example\n{main}");
    machine.write("/etc/postfix/main.cf", loopback);
    let services = machine.read("/etc/postfix/master.cf");
    let services = services.replacen("\nsmtp      inet", &format!("\n{port} inet"), 1);
    machine.write("/etc/postfix/master.cf", services + master);
}

#[test]
#[ignore = "needs postfix, python3, root, and WXPUSH_BROKERS=1: postfix drives out another mail server"]
fn a_storm_of_mails_is_taken_by_the_relay_and_none_is_lost_or_discarded() {
    if !is_wanted("WXPUSH_BROKERS") {
        return;
    }
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let machine = Machine::start(&sandbox);
    let port = free_port();
    relay(&machine, &sandbox, &standin, port);
    let _postfix = machine.daemon(&["postfix", "start-fg"]);
    awaits(port);
    let begun = Instant::now();
    let storm = machine.sh(&format!("exec python3 - {port}"));
    storm.stdin(STORM).exits(0);
    println!("150 mails were taken in {:?}", begun.elapsed());
    let ours = "export WXPUSH_CONFIG=/etc/wxpush/relay.toml; exec wxpush outbox";
    let outbox = || {
        let list = machine.sh_as("wxpush", &format!("{ours} list --json"));
        list.exits(0).stdout.lines().count()
    };
    let landed = || texts(&standin, "zhangsan").len();
    let is_done = (0..600).any(|_| {
        thread::sleep(Duration::from_millis(200));
        landed() + outbox() >= 150
    });
    println!("{} went out, {} are kept", landed(), outbox());
    assert!(is_done, "{} went out, {} are kept", landed(), outbox());
    let is_empty = (0..50).any(|_| {
        thread::sleep(Duration::from_millis(200));
        machine
            .sh("mailq")
            .exits(0)
            .stdout
            .contains("queue is empty")
    });
    assert!(is_empty, "{}", machine.sh("mailq").exits(0).stdout);
    let flush = machine.sh_as("wxpush", &format!("{ours} flush --wait"));
    let flush = flush.start_patiently(PATIENCE);
    flush.wait().exits(0);
    assert_eq!((outbox(), standin.company().phones.dropped), (0, 0));
    let all = texts(&standin, "zhangsan").concat();
    for number in 0..150 {
        assert_eq!(
            all.matches(&format!("no-{number:04}")).count(),
            1,
            "{number}"
        );
    }
}
