//! Many hosts: the playbook and the relay of docs/en/fleets.md, by the programs that they are for.

use std::env;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::json;

use crate::standin::{AGENTID, CORPID, SECRET, Standin};
use crate::support::documents::pair;
use crate::support::{Run, Sandbox, Words, config, is_wanted, pdf};

/// The first block of the page in this language.
fn block(language: &str) -> String {
    let [page, _] = pair("fleets");
    page.blocks(language)[0].to_owned()
}

#[test]
#[ignore = "needs ansible-core, and WXPUSH_ANSIBLE=1: it is large to install"]
fn the_playbook_changes_what_differs_and_nothing_else() {
    if !is_wanted("WXPUSH_ANSIBLE") {
        return;
    }
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let dir = sandbox.path("").display().to_string();
    let dir = dir.trim_end_matches('/');
    let book = block("yaml");
    // A package is for `package.rs`.
    let (head, rest) = book.split_once("    - name: Install wxpush\n").unwrap();
    let (_, rest) = rest.split_once("\n\n").unwrap();
    let book = format!("{head}{rest}")
        .replace("/etc/wxpush", dir)
        .replace("/usr/bin/wxpush", &format!("{dir}/wxpush"))
        .replace("become: true", "become: false");
    sandbox.write("book.yml", book);
    sandbox.written().insert(SECRET.as_bytes().to_vec());
    for (touser, changed) in [("zhangsan", 2), ("zhangsan", 0), ("lisi", 1)] {
        let values = json!({
            "wecom_secret": SECRET, "wecom_corpid": CORPID, "wecom_agentid": AGENTID.to_string(),
            "wecom_touser": touser, "wecom_api_base": standin.base(),
        });
        sandbox.write("values.json", values.to_string());
        let mut command = Command::new("ansible-playbook");
        command.args([
            "-i",
            "localhost,",
            "-c",
            "local",
            "-e",
            "@values.json",
            "book.yml",
        ]);
        let run = Run::new(command)
            // Python would write one.
            .env("SSLKEYLOGFILE", "")
            .env("PATH", env::var("PATH").unwrap())
            .env("HOME", dir)
            .env("LC_ALL", "C.UTF-8")
            .cwd(dir);
        let outcome = run.exits(0);
        outcome.stdout.shows(&format!(" changed={changed} "));
    }
    sandbox.send("hello").is_silent();
    assert_eq!(standin.company().phone("lisi").len(), 1);
}

/// A server that ends with its test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A certificate for this host, its key and its authority, as PEM.
fn certificate() -> Result<[String; 3], rcgen::Error> {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "relay authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let params = CertificateParams::new(["127.0.0.1".to_owned()])?;
    let certificate = params.signed_by(&key, &authority)?;
    Ok([certificate.pem(), key.serialize_pem(), authority.pem()])
}

#[test]
#[ignore = "needs nginx"]
fn a_relay_by_nginx_passes_texts_and_files_and_writes_down_no_secret() {
    let standin = Standin::start();
    let sandbox = Sandbox::empty();
    let dir = sandbox.path("").display().to_string();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let [chain, key, authority] = certificate().unwrap();
    sandbox.write("fullchain.pem", chain);
    sandbox.write("privkey.pem", key);
    sandbox.write("ca.pem", authority);
    let server = block("nginx")
        .replace("443", &address)
        .replace("/etc/ssl/relay/", &dir)
        .replace(
            "/etc/ssl/certs/ca-certificates.crt",
            &format!("{dir}ca.pem"),
        )
        .replace("/var/log/nginx/", &dir)
        .replace("10.0.0.0/8", "127.0.0.0/8")
        .replace("https://qyapi.weixin.qq.com", &standin.base());
    let kept = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let kept = kept
        .map(|it| format!("{it}_temp_path {dir}{it};\n"))
        .concat();
    let whole = format!("pid {dir}pid;\nevents {{}}\nhttp {{\n{kept}{server}}}\n");
    sandbox.write("nginx.conf", whole);
    let mut command = Command::new("/usr/sbin/nginx");
    command
        .args([
            "-e",
            &format!("{dir}error.log"),
            "-c",
            &format!("{dir}nginx.conf"),
        ])
        .args(["-g", "daemon off; master_process off;"])
        .stdout(Stdio::null());
    let _server = Server(command.spawn().unwrap());
    let is_up = (0..100).any(|_| {
        thread::sleep(Duration::from_millis(100));
        TcpStream::connect(&address).is_ok()
    });
    assert!(is_up, "{}", sandbox.read("error.log"));
    let through = config(&format!("https://{address}")) + "ca_file = \"ca.pem\"\n";
    sandbox.write("config.toml", through);
    sandbox.send("hello").is_silent();
    let mut large = pdf();
    large.resize(3 << 20, b'\n');
    sandbox.write("large.pdf", large);
    let path = sandbox.path("large.pdf").display().to_string();
    sandbox.wxpush(&format!("send --file {path}")).is_silent();
    assert_eq!(standin.company().phone("lisi").len(), 2);
    // That no log holds a secret is looked at when the sandbox goes.
}
