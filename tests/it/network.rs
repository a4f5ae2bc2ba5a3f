//! Networks that are down, names that nobody resolves, addresses that swallow: each test in a
//! network namespace of its own, with name servers of its own.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use crate::standin::Standin;
use crate::support::check::check;
use crate::support::chinese::tells_why_there_is_no_token;
use crate::support::{Outcome, Run, SEND, Sandbox, config};

/// Set in the copy of the tests that runs within the namespace.
const INSIDE: &str = "WXPUSH_TEST_NAMESPACE";

/// Loopback, and an interface that swallows what goes to 192.0.2.9 and to `2001:db8::9`.
const LINKS: &str = "
    ip link set lo up
    ip link add hole type veth peer name end
    ip address add 192.0.2.1/24 dev hole
    ip address add 2001:db8::1/64 dev hole nodad
    ip link set hole up
    ip link set end up
    ip neighbour add 192.0.2.9 lladdr 02:00:00:00:00:09 dev hole
    ip neighbour add 2001:db8::9 lladdr 02:00:00:00:00:09 dev hole";

/// Runs the body of `test` in new network and mount namespaces, after these shell lines.
fn in_a_namespace(test: &str, setup: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    let script = format!("set -e; mount -t tmpfs none /mnt\n{setup}\nexec \"$@\"");
    let output = Command::new("unshare")
        .args(["--net", "--mount", "--", "sh", "-c", &script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--include-ignored",
            "--nocapture",
            &format!("network::{test}"),
        ])
        .env(INSIDE, "1")
        .output()
        .expect("unshare is there");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let ran = output.status.success() && stdout.contains("1 passed");
    assert!(ran, "{stdout}{}", String::from_utf8_lossy(&output.stderr));
}

/// Shell lines that put a file of this text in the place of a system's.
fn instead_of(path: &str, text: &str) -> String {
    let own = path.replace('/', "_");
    format!("printf '{text}' > /mnt/{own}; mount --bind /mnt/{own} {path}\n")
}

/// A sandbox whose config leads to `host`, at the stand-in's port.
fn leading_to(host: &str, standin: &Standin) -> Sandbox {
    let base = standin.base();
    let (_, port) = base.rsplit_once(':').unwrap();
    let sandbox = Sandbox::empty();
    let config = config(&format!("http://{host}:{port}"));
    sandbox.write("config.toml", config + "allow_plain_http = true\n");
    sandbox
}

/// Holds that a run of `--timeout 2s` ended by its deadline, with room for a busy machine.
fn in_time(run: Run) -> Outcome {
    let outcome = run.args(&["--timeout", "2s"]).exits(75);
    assert!(outcome.time < Duration::from_secs(4), "{:?}", outcome.time);
    assert_eq!(outcome.stderr.lines().count(), 2, "{}", outcome.stderr);
    outcome
}

/// A name server at this address that knows one name, at `::1` alone if it begins with six, else
/// at 127.0.0.1; all others it says do not exist.
fn name_server(address: &'static str, known: &'static str) {
    let (ready, is_ready) = mpsc::channel();
    std::thread::spawn(move || {
        let socket = UdpSocket::bind((address, 53)).unwrap();
        ready.send(()).unwrap();
        let mut query = [0; 512];
        while let Ok((size, peer)) = socket.recv_from(&mut query) {
            let query = &query[..size];
            // RFC 1035: twelve bytes of header, then labels, each with its length before it.
            let mut name = Vec::new();
            let mut at = 12;
            while query[at] != 0 {
                let end = at + 1 + usize::from(query[at]);
                name.push(String::from_utf8_lossy(&query[at + 1..end]).into_owned());
                at = end;
            }
            let question = &query[12..at + 5];
            let is_known = name.join(".") == known;
            let asked = question[question.len() - 3];
            let (kind, address) = match &*name[0] {
                "six" => (28, Ipv6Addr::LOCALHOST.octets().to_vec()),
                _ => (1, Ipv4Addr::LOCALHOST.octets().to_vec()),
            };
            let code = if is_known { 0 } else { 3 };
            let answers = u8::from(is_known && asked == kind);
            let flags = [0x81, 0x80 | code];
            let counts = [0, 1, 0, answers, 0, 0, 0, 0];
            let mut answer = [&query[..2], &flags, &counts, question].concat();
            if answers == 1 {
                // The name as in the question, A or AAAA, IN, a minute, so many bytes.
                answer.extend([0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0]);
                answer.push(address.len().try_into().unwrap());
                answer.extend(address);
            }
            socket.send_to(&answer, peer).unwrap();
        }
    });
    is_ready.recv().unwrap();
}

#[test]
#[ignore = "needs root and network namespaces"]
fn without_any_network_it_is_said_that_the_host_cannot_be_reached() {
    let test = "without_any_network_it_is_said_that_the_host_cannot_be_reached";
    in_a_namespace(
        test,
        &instead_of("/etc/resolv.conf", "nameserver 192.0.2.53\\n"),
        || {
            let sandbox = Sandbox::empty();
            sandbox.write("config.toml", config("https://192.0.2.1"));
            in_time(sandbox.send("x")).says("192.0.2.1 cannot be reached: Network ");
            tells_why_there_is_no_token(75, sandbox.wxpush(""));
            sandbox.write("config.toml", config("https://qyapi.weixin.qq.com"));
            // musl waits for a name server even where no way leads to it.
            let error = in_time(sandbox.send("x")).stderr;
            let words = [
                "cannot look up qyapi.weixin.qq.com",
                "no name server answers",
            ];
            assert!(words.iter().any(|it| error.contains(it)), "{error}");
            tells_why_there_is_no_token(75, sandbox.wxpush(""));
        },
    );
}

#[test]
#[ignore = "needs root and network namespaces"]
fn a_name_server_that_never_answers_holds_up_nobody_past_the_deadline() {
    let test = "a_name_server_that_never_answers_holds_up_nobody_past_the_deadline";
    let setup = instead_of("/etc/resolv.conf", "nameserver 127.0.0.53\\n") + LINKS;
    in_a_namespace(test, &setup, || {
        let silent = UdpSocket::bind("127.0.0.53:53").unwrap();
        let sandbox = Sandbox::empty();
        sandbox.write("config.toml", config("https://qyapi.weixin.qq.com"));
        in_time(sandbox.send("x"))
            .says("no name server answers in time")
            .says("/etc/resolv.conf");
        tells_why_there_is_no_token(75, sandbox.wxpush(""));
        let lost = silent.recv(&mut [0; 512]).is_ok();
        assert!(lost, "somebody asked");
    });
}

#[test]
#[ignore = "needs root and network namespaces"]
fn the_second_name_server_has_its_turn_where_the_first_is_dead() {
    let test = "the_second_name_server_has_its_turn_where_the_first_is_dead";
    let servers = "nameserver 127.0.0.53\\nnameserver 127.0.0.54\\n";
    let setup = instead_of("/etc/resolv.conf", servers) + LINKS;
    in_a_namespace(test, &setup, || {
        let _silent = UdpSocket::bind("127.0.0.53:53").unwrap();
        name_server("127.0.0.54", "relay.example");
        let standin = Standin::start();
        let sandbox = leading_to("relay.example", &standin);
        sandbox.send("x").is_silent();
        assert_eq!(standin.count(SEND), 1);
    });
}

#[test]
#[ignore = "needs root and network namespaces"]
fn an_address_that_swallows_everything_gives_way_to_the_other_family() {
    let test = "an_address_that_swallows_everything_gives_way_to_the_other_family";
    let hosts = "2001:db8::9 six.example\\n127.0.0.1 six.example\\n192.0.2.9 four.example\\n::1 four.example\\n2001:db8::9 hole.example\\n192.0.2.9 hole.example\\n";
    let setup = instead_of("/etc/hosts", hosts) + LINKS;
    in_a_namespace(test, &setup, || {
        let standin = Standin::start();
        leading_to("six.example", &standin).send("x").is_silent();
        assert_eq!(standin.count(SEND), 1);

        let standin = Standin::start_at("[::1]:0").unwrap();
        leading_to("four.example", &standin).send("x").is_silent();
        assert_eq!(standin.count(SEND), 1);

        let sandbox = leading_to("hole.example", &standin);
        let outcome = in_time(sandbox.send("x"));
        outcome.says("no answer from hole.example").says("not sent");
        tells_why_there_is_no_token(75, sandbox.wxpush(""));
        assert_eq!(standin.count(SEND), 1);
    });
}

#[test]
#[ignore = "needs root and network namespaces"]
fn a_host_that_does_not_exist_is_told_as_that() {
    let test = "a_host_that_does_not_exist_is_told_as_that";
    let setup = instead_of("/etc/resolv.conf", "nameserver 127.0.0.54\\n") + LINKS;
    in_a_namespace(test, &setup, || {
        name_server("127.0.0.54", "relay.example");
        let standin = Standin::start();
        leading_to("relay.example", &standin).send("x").is_silent();
        let sandbox = leading_to("typo.example", &standin);
        in_time(sandbox.send("x"))
            .says("no such host: typo.example")
            .says("spelling");
        tells_why_there_is_no_token(75, sandbox.wxpush(""));
    });
}

#[test]
#[ignore = "needs root and network namespaces"]
fn names_are_found_by_search_domain_without_a_resolv_conf_and_by_ipv6_alone() {
    let test = "names_are_found_by_search_domain_without_a_resolv_conf_and_by_ipv6_alone";
    let setup = "mkdir /mnt/etc; cp /etc/passwd /etc/group /mnt/etc; mount --bind /mnt/etc /etc";
    in_a_namespace(test, &(setup.to_owned() + LINKS), || {
        let standin = Standin::start();
        name_server("127.0.0.54", "relay.corp.example");
        let text = "search none.example corp.example\nnameserver 127.0.0.54\n";
        fs::write("/etc/resolv.conf", text).unwrap();
        leading_to("relay", &standin).send("x").is_silent();
        fs::remove_file("/etc/resolv.conf").unwrap();
        name_server("127.0.0.1", "relay.example");
        leading_to("relay.example", &standin).send("x").is_silent();
        assert_eq!(standin.count(SEND), 2);

        let flush = ["-4", "address", "flush", "dev", "lo"];
        assert!(Command::new("ip").args(flush).status().unwrap().success());
        name_server("::1", "six.example");
        fs::write("/etc/resolv.conf", "nameserver ::1\n").unwrap();
        let standin = Standin::start_at("[::1]:0").unwrap();
        leading_to("six.example", &standin).send("x").is_silent();
        assert_eq!(standin.count(SEND), 1);
    });
}

#[test]
#[ignore = "needs root and network namespaces"]
fn where_no_thread_is_to_be_had_a_name_is_looked_up_all_the_same() {
    let test = "where_no_thread_is_to_be_had_a_name_is_looked_up_all_the_same";
    let setup = instead_of("/etc/hosts", "127.0.0.1 relay.example\\n") + LINKS;
    in_a_namespace(test, &setup, || {
        let standin = Standin::start();
        let sandbox = leading_to("relay.example", &standin);
        for name in ["", "config.toml"] {
            std::os::unix::fs::chown(sandbox.path(name), Some(4712), Some(4712)).unwrap();
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid=4712", "--regid=4712", "--clear-groups"]);
        command
            .args(["prlimit", "--nproc=1:1"])
            .arg(sandbox.path("wxpush"));
        let run = Run::new(command).args(&["send", "x"]);
        run.env("PATH", "/usr/bin:/bin").is_silent();
        assert_eq!(standin.count(SEND), 1);
    });
}

#[test]
#[ignore = "needs root and network namespaces"]
fn a_check_tells_dead_names_from_dead_ways_in_time() {
    let test = "a_check_tells_dead_names_from_dead_ways_in_time";
    let hosts = "192.0.2.9 hole.example\\n2001:db8::9 six.example\\n127.0.0.1 six.example\\n";
    let setup = instead_of("/etc/resolv.conf", "nameserver 127.0.0.54\\n")
        + &instead_of("/etc/hosts", hosts)
        + LINKS;
    in_a_namespace(test, &setup, || {
        let standin = Standin::start();
        let steps = |host: &str| {
            let sandbox = leading_to(host, &standin);
            let outcome = check(&sandbox, "--timeout 2s").run();
            assert!(outcome.time < Duration::from_secs(5), "{:?}", outcome.time);
            outcome
        };
        let silent = UdpSocket::bind("127.0.0.54:53").unwrap();
        let outcome = steps("relay.example").exits(75);
        outcome.went("dns", "failed", &["no name server answers in time"]);
        outcome.went("tcp", "skipped", &[]);
        drop(silent);
        name_server("127.0.0.54", "relay.example");
        let outcome = steps("typo.example").exits(75);
        outcome.went("dns", "failed", &["no such host: typo.example"]);
        let outcome = steps("hole.example").exits(75);
        outcome.went("dns", "ok", &[]);
        outcome.went("tcp", "failed", &["no answer from hole.example"]);
        outcome.went("http", "skipped", &[]);
        let outcome = steps("relay.example").exits(0);
        outcome.went("http", "ok", &[]);
        let sandbox = leading_to("six.example", &standin);
        let outcome = check(&sandbox, "").exits(0);
        outcome.went("http", "ok", &[]);
    });
}
