//! One `gettoken` for any number of processes: no token, an expired one, one revoked early,
//! a wrong secret, a server that takes none.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::standin::{Fault, SECRET, Standin};
use crate::support::chinese::in_both;
use crate::support::leaks::reversed;
use crate::support::{
    FLOOR, GETTOKEN, Outcome, SEND, Sandbox, at_once, edit_token, hire, now, second_app, set_up,
    warmed,
};

/// The processes of a crowd.
const CROWD: usize = 200;

/// So many sends at once, to twenty members in turn: WeCom drops what is more than 30 a minute to one,
/// and a request that is refused for its token holds a place until its answer.
fn crowd(standin: &Standin, sandbox: &Sandbox, count: usize) -> Vec<Outcome> {
    let _floor = FLOOR.lock();
    let members = hire(standin, 20);
    at_once(count, |number| {
        sandbox
            .send(&format!("crowd {number}"))
            .args(&["--to", &members[number % members.len()]])
    })
}

/// Holds that every message of a crowd is on its phone, once.
fn all_arrived(standin: &Standin, count: usize) {
    let company = standin.company();
    // Before it, a line may say that a newer one has overtaken it.
    let landed: Vec<&str> = company
        .phones
        .all()
        .filter_map(|(_, landed)| landed.text.lines().last())
        .filter(|text| text.starts_with("crowd "))
        .collect();
    assert_eq!(landed.len(), count);
    assert_eq!(landed.iter().collect::<BTreeSet<_>>().len(), count);
}

#[test]
fn two_hundred_processes_without_a_good_token_make_one_gettoken() {
    // In two seconds all of them have started, and wait.
    for (expired, delay) in [
        (false, 0),
        (true, 0),
        (false, 300),
        (false, 2000),
        (true, 2000),
    ] {
        let standin = Standin::start();
        let (sandbox, before) = if expired {
            let sandbox = warmed(&standin, 7001);
            standin.company().tokens.expire_all();
            (sandbox, 1)
        } else {
            (Sandbox::of(&standin), 0)
        };
        standin.script(GETTOKEN, [Fault::Delay(Duration::from_millis(delay))]);
        let outcomes = crowd(&standin, &sandbox, CROWD);
        for outcome in outcomes {
            outcome.is_silent();
        }
        assert_eq!(standin.count(GETTOKEN), before + 1, "{expired} {delay}");
        assert_eq!(standin.count(SEND), before + CROWD, "{expired} {delay}");
        all_arrived(&standin, CROWD);
    }
}

#[test]
fn two_hundred_processes_with_a_revoked_token_make_one_gettoken() {
    // With a slow answer nearly all hold the token by the time that it is refused.
    for (delay, least) in [(0, 1), (3000, CROWD / 2)] {
        let standin = Standin::start();
        let sandbox = warmed(&standin, 1000);
        standin.company().tokens.revoke_all();
        let slow = Fault::Delay(Duration::from_millis(delay));
        standin.script(SEND, vec![slow; CROWD]);
        for outcome in crowd(&standin, &sandbox, CROWD) {
            outcome.is_silent();
        }
        assert_eq!(standin.count(GETTOKEN), 2);
        let refused = standin.count(SEND) - 1 - CROWD;
        assert!((least..=CROWD).contains(&refused), "{refused} refused");
        all_arrived(&standin, CROWD);
    }
}

#[test]
fn apps_that_share_a_cache_each_make_one_gettoken_and_keep_their_records() {
    let standin = Standin::start();
    second_app(&standin);
    let sandbox = Sandbox::of(&standin);
    let config = sandbox.read("config.toml").replace(SECRET, &reversed());
    sandbox.write("second.toml", config.replace("1000002", "7"));
    let outcomes = at_once(20, |number| {
        let run = sandbox.send(&format!("crowd {number}"));
        if number % 2 == 0 {
            run
        } else {
            run.arg("--config").arg(sandbox.path("second.toml"))
        }
    });
    for outcome in outcomes {
        outcome.is_silent();
    }
    assert_eq!(standin.count(GETTOKEN), 2);
    let cache: Value = serde_json::from_str(&sandbox.read("token_cache.json")).unwrap();
    assert_eq!(cache.as_object().unwrap().len(), 2);
}

#[test]
fn a_wrong_secret_is_tried_once_by_two_hundred_processes_and_the_right_one_at_once() {
    let (standin, sandbox) = set_up();
    let right = sandbox.read("config.toml");
    let wrong = right.replace(SECRET, &reversed());
    sandbox.write("config.toml", &wrong);
    standin.script(GETTOKEN, [Fault::Delay(Duration::from_secs(2))]);
    for outcome in crowd(&standin, &sandbox, CROWD) {
        outcome.exits(77).says("40001");
    }
    assert_eq!(standin.count(GETTOKEN), 1);

    sandbox.write("config.toml", &right);
    sandbox.send("corrected").is_silent();
    assert_eq!(standin.count(GETTOKEN), 2);
    // With some of those that were kept.
    let sent = standin.count(SEND);
    assert!((2..=11).contains(&sent), "{sent} sent");

    sandbox.write("config.toml", &wrong);
    sandbox.send("wrong again").exits(77);
    sandbox.wxpush("token print").exits(77);
    assert_eq!(standin.count(GETTOKEN), 2, "it is remembered");
    sandbox.wxpush("token refresh").exits(77);
    assert_eq!(standin.count(GETTOKEN), 3, "refresh asks at once");

    let older = |seconds: u64| {
        edit_token(&sandbox, |record| {
            if let Some(at) = record["refused_at"].as_u64() {
                record["refused_at"] = (at - seconds).into();
            }
        });
    };
    older(50);
    sandbox.send("too soon").exits(77);
    assert_eq!(standin.count(GETTOKEN), 3);
    older(10);
    sandbox.send("a minute later").exits(77);
    assert_eq!(standin.count(GETTOKEN), 4);
    assert_eq!(standin.count(SEND), sent, "nothing went by the wrong one");
}

#[test]
fn a_server_that_takes_no_token_is_asked_for_one_a_minute() {
    let standin = Standin::start();
    let sandbox = warmed(&standin, 100);
    standin.always(SEND, Fault::Errcode(40014, "invalid access_token".into()));
    let figures = || (standin.count(GETTOKEN), standin.count(SEND));

    let outcome = sandbox.send("alone").exits(75);
    outcome.says("only just granted").says("40014");
    assert_eq!(figures(), (2, 3), "one more gettoken, two sends");

    for outcome in crowd(&standin, &sandbox, 20) {
        outcome.exits(75).says("only just granted");
    }
    assert_eq!(figures(), (2, 23), "nobody asks within the minute");

    sandbox.age_token(60);
    for outcome in crowd(&standin, &sandbox, 20) {
        outcome.exits(75).says("try again in");
    }
    let (gettoken, sends) = figures();
    assert_eq!(gettoken, 3, "one asks after the minute");
    assert!(sends <= 23 + 40, "{sends} sends");
}

#[test]
fn a_server_that_takes_no_token_gets_two_of_each_from_a_process_without_one() {
    let (standin, sandbox) = set_up();
    standin.always(SEND, Fault::Errcode(40014, "invalid access_token".into()));
    sandbox.send("x").exits(75);
    assert!(standin.count(GETTOKEN) <= 2 && standin.count(SEND) <= 2);
}

#[test]
fn a_token_that_was_refused_and_is_granted_again_stops_the_send() {
    let standin = Standin::start();
    standin.company().tokens.repeat = true;
    let sandbox = warmed(&standin, 100);
    standin.always(SEND, Fault::Errcode(40014, "invalid access_token".into()));
    sandbox
        .send("x")
        .exits(75)
        .says("errcode 40014: invalid access_token");
    assert_eq!((standin.count(GETTOKEN), standin.count(SEND)), (2, 2));
}

#[test]
fn every_code_of_a_bad_token_leads_to_one_new_token_and_to_delivery() {
    for code in [40001, 40014, 41001, 42001] {
        let standin = Standin::start();
        let sandbox = warmed(&standin, 100);
        standin.script(SEND, [Fault::Errcode(code, "bad token".into())]);
        sandbox.send("once more").is_silent();
        let figures = (standin.count(GETTOKEN), standin.count(SEND));
        assert_eq!(figures, (2, 3), "{code}");
        assert_eq!(standin.company().phone("zhangsan")[1].text, "once more");
    }
    for (name, code) in [("revoked", 40014), ("expired", 42001), ("expired", 40014)] {
        let standin = Standin::start();
        let sandbox = warmed(&standin, 100);
        if name == "revoked" {
            standin.company().tokens.revoke_all();
        } else {
            standin.company().tokens.expired_code = code;
            standin.company().tokens.expire_all();
        }
        sandbox.send("once more").is_silent();
        let figures = (standin.count(GETTOKEN), standin.count(SEND));
        assert_eq!(figures, (2, 3), "{name} {code}");
    }
}

#[test]
fn a_bad_secret_is_not_tried_again_and_sends_nothing() {
    for (code, exit) in [(40001, 77), (40013, 77), (60020, 77)] {
        let standin = Standin::start();
        standin.script(GETTOKEN, [Fault::Errcode(code, "no".into())]);
        let sandbox = Sandbox::of(&standin);
        sandbox
            .send("x")
            .exits(exit)
            .says(&format!("errcode {code}"));
        let outcome = sandbox.send("x").exits(exit);
        outcome
            .says("earlier answer")
            .says("`wxpush token refresh`");
        let outcome = in_both(exit, || sandbox.wxpush("token print --json"));
        let object = outcome.json();
        assert_eq!(object["exit_code"], exit, "{object}");
        assert!(
            object["error"]
                .as_str()
                .unwrap()
                .contains(&code.to_string())
        );
        let figures = (standin.count(GETTOKEN), standin.count(SEND));
        assert_eq!(figures, (1, 0), "{code}");
    }
}

#[test]
fn what_passes_by_itself_is_not_remembered_as_a_refusal() {
    let standin = Standin::start();
    standin.script(
        GETTOKEN,
        [
            Fault::html(502),
            Fault::CutBefore,
            Fault::Errcode(-1, "busy".into()),
        ],
    );
    let sandbox = Sandbox::of(&standin);
    sandbox.send("x").is_silent();
    assert_eq!((standin.count(GETTOKEN), standin.count(SEND)), (4, 1));
}

#[test]
fn a_young_token_is_replaced_when_it_is_a_minute_old_and_not_before() {
    let standin = Standin::start();
    let sandbox = warmed(&standin, 0);
    standin.company().tokens.revoke_all();
    let outcome = sandbox.send("short").args(&["--timeout", "2s"]).run();
    outcome.exits(75).says("only just granted").says("hint:");
    assert_eq!((standin.count(GETTOKEN), standin.count(SEND)), (1, 2));

    sandbox.age_token(57);
    sandbox.send("long").is_silent();
    assert_eq!((standin.count(GETTOKEN), standin.count(SEND)), (2, 4));
    assert_eq!(standin.company().phone("zhangsan")[1].text, "long");
}

#[test]
fn a_token_is_used_until_its_margin() {
    for (age, gettoken) in [(0, 1), (3600, 1), (6980, 1), (7001, 2), (7200, 2)] {
        let standin = Standin::start();
        let sandbox = warmed(&standin, age);
        sandbox.send("again").is_silent();
        assert_eq!(standin.count(GETTOKEN), gettoken, "{age} s old");
        sandbox.send("and again").is_silent();
        assert_eq!(standin.count(GETTOKEN), gettoken, "{age} s old");
    }
}

#[test]
fn a_clock_that_jumps_costs_one_gettoken_at_the_most() {
    let (day, year) = (86_400, 365 * 86_400);
    // How far the clock went, in seconds; backwards, whatever was written lies in the future.
    for (jump, asked) in [
        (-10 * year, 1),
        (-year, 1),
        (-day, 1),
        (-7200, 1),
        (-600, 1),
        (-30, 1),
        (30, 0),
        (600, 0),
        (7200, 1),
        (day, 1),
        (year, 1),
        (10 * year, 1),
    ] {
        let standin = Standin::start();
        let sandbox = warmed(&standin, 0);
        let written = now().checked_add_signed(-jump).unwrap();
        edit_token(&sandbox, |record| record["obtained_at"] = written.into());
        for message in ["first", "second"] {
            sandbox.send(message).is_silent();
            assert_eq!(standin.count(GETTOKEN), 1 + asked, "{jump} s");
        }
        // A refusal holds nobody back but within its minute.
        edit_token(&sandbox, |record| {
            *record = json!({"refused_at": written, "errcode": 40001, "errmsg": "no"});
        });
        if jump == 30 {
            sandbox.send("third").exits(77);
        } else {
            sandbox.send("third").is_silent();
            assert_eq!(standin.count(GETTOKEN), 2 + asked, "{jump} s");
        }
    }
}
