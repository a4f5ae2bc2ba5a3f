//! Every way in which a config can be wrong: reported by line and key, and never by the secret.

use crate::standin::SECRET;
use crate::support::chinese::in_both;
use crate::support::{Sandbox, app, config, for_each, hides_secret, obstruct};

/// What is written, the line and the key that are blamed, and what is said about it. `+` puts a good app on
/// three lines before it, `⏎` ends a line, `SECRET` is the secret.
const MISTAKES: &str = r#"
+corpsecrt = "x"                    | 4 | corpsecrt            | did you mean corpsecret?
+tousers = "a"                      | 4 | tousers              | did you mean touser?
+agent_id = 5                       | 4 | agent_id             | did you mean agentid?
+apibase = "https://x"              | 4 | apibase              | did you mean api_base, below [network]?
+perminute = 3                      | 4 | perminute            | did you mean per_minute, below [limits]?
+api_base = "https://x"             | 4 | api_base             | api_base belongs below [network]
+keep = 5                           | 4 | keep                 | keep belongs below [log]
+max_age = "3d"                     | 4 | max_age              | max_age belongs below [outbox]
+[network]⏎touser = "a"             | 5 | network.touser       | touser belongs at the top of the file, before the first [table]
+[network]⏎⏎proxi = "x"             | 6 | network.proxi        | did you mean proxy?
+[log]⏎leve = "info"                | 5 | log.leve             | did you mean level?
+[outbox]⏎maxage = "3d"             | 5 | outbox.maxage        | did you mean max_age?
+[limits]⏎perhour = 5               | 5 | limits.perhour       | did you mean per_hour?
+[netwrk]                           | 4 | netwrk               | did you mean network?
+[profile.ops]                      | 4 | profile              | did you mean profiles?
+[profiles.ops]⏎agentd = 1          | 5 | profiles.ops.agentd  | did you mean agentid?
+[profiles.ops.log]⏎levl = "x"      | 5 | profiles.ops.log.levl | did you mean level?
+[robots.a]⏎webhook = "x"           | 5 | robots.a.webhook     | known here: key, key_file
+[mail]⏎"a@b" = { user = "c" }      | 5 | mail.a@b.user        | did you mean touser?
+qqq = 1                            | 4 | qqq                  | known here: corpid,
+SECRET = "corpsecret"              | 4 | (hidden)             | with the name before the =
+[SECRET]                           | 4 | (hidden)             | with the name before the =
+[profiles.SECRET]⏎x = 1            | 5 | profiles.(hidden).x  | known here: corpid,
+[robots.SECRET]⏎x = 1              | 5 | robots.(hidden).x    | known here: key, key_file
+[mail]⏎"SECRET@b" = { x = 1 }      | 5 | mail.(hidden)@b.x    | known here: touser,
+profiles.SECRET = 1                | 4 | profiles.(hidden)    | written [profiles.(hidden)]
+corpid = "ww1"                     | 4 | corpid               | keep one
+corpsecret = "SECRET"              | 4 | corpsecret           | keep one
+[log]⏎[network]⏎[log]              | 6 | [log]                | keep one
+corpsecret_file = "f"              | 4 | corpsecret_file      | keep one of corpsecret and corpsecret_file
+[robots.a]⏎key = "abc"⏎key_file="f" | 6 | robots.a.key_file   | keep one of key and key_file
corpid = 5                          | 1 | corpid               | must be a text in quotes, not a value of type integer
corpsecret = ["SECRET"]             | 1 | corpsecret           | must be a text in quotes, not a value of type array
corpsecret_file = true              | 1 | corpsecret_file      | must be a text in quotes, not a value of type boolean
agentid = 1.5                       | 1 | agentid              | a whole number such as 1000002
agentid = "1.5"                     | 1 | agentid              | a whole number such as 1000002
agentid = -1                        | 1 | agentid              | a whole number such as 1000002
agentid = 9223372036854775808       | 1 | agentid              | a whole number such as 1000002
agentid = 2147483648                | 1 | agentid              | a whole number such as 1000002
agentid = 0xF4242                   | 1 | agentid              | a whole number such as 1000002
agentid = true                      | 1 | agentid              | a whole number such as 1000002
agentid = [1]                       | 1 | agentid              | a whole number such as 1000002
agentid = ""                        | 1 | agentid              | a whole number such as 1000002
agentid = 0                         | 1 | agentid              | still a placeholder
+touser = true                      | 4 | touser               | must be a text in quotes, or a list of them
+totag = [1, [2]]                   | 4 | totag                | must be a text in quotes, or a list of them
+touser = "@ALL"                    | 4 | touser               | everyone is written @all
+touser = "a"⏎toparty = "one"       | 5 | toparty              | it is a number
+touser = ","                       | 4 | touser               | it names nobody
+toparty = "SECRET"                 | 4 | toparty              | cannot be a recipient
+touser = "SECRET 张三"             | 4 | touser               | cannot be a recipient
+safe = "yes"                       | 4 | safe                 | must be true or false, not a value of type string
+safe = 2                           | 4 | safe                 | must be true or false
+prefix = 5                         | 4 | prefix               | must be a text in quotes
+state_dir = ""                     | 4 | state_dir            | must be a path
+state_dir = 1979-05-27             | 4 | state_dir            | must be a text in quotes, not a value of type datetime
+show_in = "weixin"                 | 4 | show_in              | must be one of wecom, wechat
+lang = "zh_CN"                     | 4 | lang                 | must be one of zh, en
+network = "https://x"              | 4 | network              | must be a table, written [network]
+log = false                        | 4 | log                  | must be a table, written [log]
+limits = 30                        | 4 | limits               | must be a table, written [limits]
+[[outbox]]⏎enabled = true          | 4 | outbox               | must be a table, written [outbox]
+profiles = "ops"                   | 4 | profiles             | must be a table, written [profiles]
+[profiles]⏎ops = 1                 | 5 | profiles.ops         | must be a table, written [profiles.ops]
+[robots]⏎a = "SECRET"              | 5 | robots.a             | must be a table, written [robots.a]
+[mail]⏎root = "zhangsan"           | 5 | mail.root            | must be a table, written [mail.root]
+[network]⏎api_base = "wecom"       | 5 | network.api_base     | must be a URL such as https://
+[network]⏎api_base = "ftp://x"     | 5 | network.api_base     | must be a URL such as https://
+[network]⏎api_base = "http://r.cn" | 5 | network.api_base     | plain http to another host
+[network]⏎allow_plain_http = "no"  | 5 | network.allow_plain_http | must be true or false
+[network]⏎proxy = "10.0.0.1:3128"  | 5 | network.proxy        | must be a proxy such as http://
+[network]⏎proxy = "http://u:12#SECRET@h" | 5 | network.proxy    | write @ as %40
+[network]⏎proxy = "http://h:1/SECRET" | 5 | network.proxy       | must be a proxy such as http://
+[network]⏎api_base = "https://u:12/SECRET@h" | 5 | network.api_base | write @ as %40
+[network]⏎local_address = "eth0"   | 5 | network.local_address | must be an IP address of this host
+[network]⏎ca_file = 1              | 5 | network.ca_file      | must be a text in quotes
+[limits]⏎per_minute = 31           | 5 | limits.per_minute    | must be a number from 0.02 to 30
+[limits]⏎per_minute = 0            | 5 | limits.per_minute    | must be a number from 0.02 to 30
+[limits]⏎per_hour = 1001           | 5 | limits.per_hour      | must be a whole number from 1 to 1000
+[limits]⏎per_hour = 0              | 5 | limits.per_hour      | must be a whole number from 1 to 1000
+[limits]⏎per_hour = "5"            | 5 | limits.per_hour      | must be a whole number from 1 to 1000, not a value of type string
+[log]⏎file = 5                     | 5 | log.file             | must be a text in quotes
+[log]⏎level = "warning"            | 5 | log.level            | did you mean warn?
+[log]⏎rotation = "weekly"          | 5 | log.rotation         | must be one of never, daily
+[log]⏎keep = -1                    | 5 | log.keep             | must be a whole number from 1 to 10000
+[outbox]⏎enabled = "on"            | 5 | outbox.enabled       | must be true or false
+[outbox]⏎max_age = 3               | 5 | outbox.max_age       | must be a text in quotes
+[outbox]⏎max_age = "3 days"        | 5 | outbox.max_age       | write 90s, 10m, 5h, 3d or 1h30m
+[outbox]⏎max_age = "0d"            | 5 | outbox.max_age       | must be longer than zero
+[outbox]⏎max_age = "0s"            | 5 | outbox.max_age       | to keep none write enabled = false
+[outbox]⏎max_age = "365d1s"        | 5 | outbox.max_age       | must be 365d at the most
+[profiles.a.outbox]⏎max_age = "0s" | 5 | profiles.a.outbox.max_age | must be longer than zero
+[robots.a]⏎key = 5                 | 5 | robots.a.key         | must be a text in quotes
+[robots.a]⏎key = "…"               | 5 | robots.a.key         | still a placeholder
+[mail]⏎"*" = { toparty = "x" }     | 5 | mail.*.toparty       | it is a number
corpid = ""                         | 1 | corpid               | is empty
corpid = "your-corpid"              | 1 | corpid               | still a placeholder
corpid = "wwxxxxxxxxxxxxxxxx"       | 1 | corpid               | still a placeholder
⏎corpsecret = "…"                   | 2 | corpsecret           | still a placeholder
corpsecret = "<SECRET>"             | 1 | corpsecret           | still a placeholder
corpsecret = ""                     | 1 | corpsecret           | is empty
corpsecret = " SECRET "             | 1 | corpsecret           | holds a space
corpsecret = "SECRET\n"             | 1 | corpsecret           | a line break
corpsecret = """⏎SECRET⏎"""         | 1 | corpsecret           | a line break
corpsecret = "SECRET                | 1 | corpsecret           | texts in quotes
corpsecret = 'SECRET                | 1 | corpsecret           | texts in quotes
corpsecret = SECRET                 | 1 | corpsecret           | texts in quotes
corpsecret = “SECRET”               | 1 | corpsecret           | straight quotes
corpsecret = "SECRET\q"             | 1 | corpsecret           | texts in quotes
corpsecret = "SECRET" agentid = 1   | 1 | corpsecret           | texts in quotes
corpsecret =                        | 1 | corpsecret           | texts in quotes
corpsecret "SECRET"                 | 1 |                      | texts in quotes
corpsecret: SECRET                  | 1 |                      | texts in quotes
⏎⏎SECRET                            | 3 |                      | texts in quotes
SECRET =                            | 1 |                      | texts in quotes
[SECRET                             | 1 |                      | texts in quotes
corpid = "ww1"⏎secret = SECRET      | 2 | secret               | did you mean corpsecret?
agentid = 1⏎corpid.x = "SECRET"     | 2 | corpid               | must be a text in quotes, not a value of type table
[network⏎                           | 1 | [network             | texts in quotes
"#;

#[test]
fn every_mistake_is_told_by_line_and_key_and_never_by_the_secret() {
    let rows: Vec<Vec<&str>> = MISTAKES
        .lines()
        .filter(|row| !row.is_empty())
        .map(|row| row.rsplitn(4, '|').map(str::trim).collect())
        .collect();
    let sandbox = Sandbox::empty();
    for (number, row) in rows.iter().enumerate() {
        let [words, key, line, text] = row[..] else {
            panic!("a row has four columns: {row:?}")
        };
        let text = text.replace('⏎', "\n").replace("SECRET", SECRET);
        let text = match text.strip_prefix('+') {
            Some(rest) => app() + rest,
            None => text,
        };
        let name = format!("{number}.toml");
        sandbox.write(&name, format!("{text}\n"));
        let args = format!("send --dry-run x -c {}", sandbox.path(&name).display());
        let chinese = sandbox.wxpush(&args).in_chinese().exits(78);
        let english = sandbox.wxpush(&args).exits(78).says(words);
        for outcome in [chinese.is_chinese(), english] {
            let outcome = outcome.says(&format!("{name}:{line}: {key}"));
            hides_secret(&outcome.stderr);
            // An error, and at most a hint: nobody reads more.
            assert!(outcome.stderr.lines().count() <= 2, "{}", outcome.stderr);
        }
    }
}

#[test]
fn a_file_that_is_no_config_is_told_by_its_line() {
    let utf16 = |text: &str| -> Vec<u8> {
        let units = std::iter::once('\u{feff}').chain(text.chars());
        units.flat_map(|c| (c as u16).to_le_bytes()).collect()
    };
    let latin = [app().as_bytes(), b"prefix = \"caf\xe9\"\n"].concat();
    let nul = app().replace("agentid", "\0agentid").into_bytes();
    let nested = |times| (app() + "touser = " + &"[".repeat(times)).into_bytes();
    let closed = [nested(5000), b"]".repeat(5000)].concat();
    let dotted = [b"a".to_vec(), b".a".repeat(2000), b"=1".to_vec()].concat();
    let without = |key: &str| app().replace(key, "#").into_bytes();
    let (elf, comments) = (b"\x7fELF\x02\x01\x01\0\0\0", b"# nothing\n");
    let [first, third, fourth] = [1, 3, 4].map(|line| format!("config.toml:{line}:"));
    let (unset, all) = (
        "corpid, corpsecret, agentid are not set in",
        "WXPUSH_CORPID, WXPUSH_CORPSECRET, WXPUSH_AGENTID",
    );
    let (utf8, save) = (" is not UTF-8", "save the file as UTF-8");
    for_each(
        [
            ("UTF-16", utf16(&app()), first.clone() + utf8, save),
            ("Latin-1", latin, fourth.clone() + utf8, save),
            ("NUL", nul, third, "hint:"),
            ("a program", elf.to_vec(), first.clone(), "hint:"),
            (
                "deep",
                nested(100_000),
                fourth.clone() + " touser: ",
                "hint:",
            ),
            ("deep, and closed", closed, fourth + " touser: ", "hint:"),
            ("dotted", dotted, first, "hint:"),
            ("nothing", Vec::new(), unset.into(), all),
            ("comments", comments.to_vec(), unset.into(), "hint:"),
            (
                "no corpid",
                without("corpid"),
                "corpid is not set in".into(),
                "WXPUSH_CORPID",
            ),
            (
                "no secret",
                without("corpsecret"),
                "corpsecret is not set in".into(),
                "WXPUSH_CORPSECRET",
            ),
            (
                "no agentid",
                without("agentid"),
                "agentid is not set in".into(),
                "WXPUSH_AGENTID",
            ),
        ],
        |(name, text, place, hint)| {
            let sandbox = Sandbox::empty();
            sandbox.write("config.toml", text);
            let outcome = in_both(78, || sandbox.wxpush("send --dry-run x"));
            let is_told = outcome.stderr.contains(&place) && outcome.stderr.contains(hint);
            assert!(is_told, "{name}: {}", outcome.stderr);
            hides_secret(&outcome.stderr);
        },
    );
}

#[test]
fn a_config_that_is_named_must_be_there_and_be_readable() {
    let sandbox = Sandbox::empty();
    sandbox.write("config.toml", app());
    let fifo = sandbox.path("fifo");
    obstruct("FIFO", &fifo, &fifo);
    sandbox.write("big.toml", "#".repeat(10_000_000));
    for (name, words) in [
        ("none.toml", "there is no such config"),
        ("fifo", "is not a regular file"),
        ("", "is not a regular file"),
        ("big.toml", "is larger than"),
        ("config.toml/config.toml", "there is no such config"),
    ] {
        let path = sandbox.path(name);
        let outcome = in_both(78, || sandbox.wxpush("send --dry-run x -c").arg(&path));
        let outcome = outcome.says(words).says("hint:");
        outcome.says(&path.display().to_string());
        let run = || sandbox.wxpush("send --dry-run x");
        in_both(78, || run().env("WXPUSH_CONFIG", &path)).says(words);
    }
}

#[test]
fn a_bad_variable_is_named() {
    let sandbox = Sandbox::empty();
    sandbox.write("config.toml", app() + "[profiles.ops]\n");
    let spaced = format!("{} {}", &SECRET[..26], &SECRET[26..]);
    for (name, value, words) in [
        ("WXPUSH_CORPID", "your-corpid", "placeholder"),
        ("WXPUSH_CORPID", "two words", "holds a space"),
        ("WXPUSH_CORPSECRET", "xxxx", "placeholder"),
        ("WXPUSH_CORPSECRET", &spaced, "holds a space"),
        ("WXPUSH_AGENTID", "-1", "must be the app's AgentId"),
        ("WXPUSH_AGENTID", "9223372036854775808", "must be the app's"),
        ("WXPUSH_TOUSER", "张三", "cannot be a userid"),
        ("WXPUSH_TOUSER", ",", "it names nobody"),
        ("WXPUSH_STATE_DIR", "state", "must be an absolute path"),
        ("WXPUSH_API_BASE", "qyapi.weixin.qq.com", "must be a URL"),
        ("WXPUSH_CORPID", "\"ww1\"", "has quotes around it"),
        ("WXPUSH_LANG", "cn", "must be one of zh, en"),
        ("WXPUSH_PROFILE", "op", "[profiles.op]"),
    ] {
        let run = || sandbox.wxpush("send --dry-run x").env(name, value);
        let outcome = in_both(78, run).says(words);
        let named = name == "WXPUSH_PROFILE" || outcome.stderr.contains(name);
        assert!(named, "{name}: {}", outcome.stderr);
        hides_secret(&outcome.stderr);
    }
}

#[test]
fn a_profile_that_is_not_there_is_an_error_with_the_nearest_name() {
    let sandbox = Sandbox::empty();
    sandbox.write("config.toml", app() + "[profiles.ops]\n[profiles.backup]\n");
    for (name, words) in [
        ("op", "did you mean ops?"),
        ("bakcup", "did you mean backup?"),
        ("zzz", "known profiles: backup, ops"),
    ] {
        in_both(78, || sandbox.wxpush("send --dry-run x -p").arg(name))
            .says(words)
            .says(&format!("config.toml: there is no [profiles.{name}]"));
    }
    sandbox.write("config.toml", format!("[profiles.{SECRET}]\n"));
    let outcome = in_both(78, || sandbox.wxpush("send --dry-run x -p zzz"));
    hides_secret(&outcome.says("known profiles: (hidden)").stderr);
}

#[test]
fn a_list_as_long_as_a_config_can_be_is_taken_without_a_hang() {
    let sandbox = Sandbox::empty();
    let names: Vec<String> = (0..150_000).map(|id| format!("{id:x}")).collect();
    let text = config("https://a.example").replace(
        "[network]",
        &format!("touser = \"{}\"\n[network]", names.join(",")),
    );
    sandbox.write("config.toml", text);
    let outcome = sandbox.wxpush("send --dry-run --json x").exits(0);
    assert_eq!(outcome.json()["requests"].as_array().unwrap().len(), 150);
}
