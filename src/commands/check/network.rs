//! The way to WeCom: a name, a connection, TLS.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::app::left;
use super::report::Report;
use crate::config::Network;
use crate::error::Failure;
use crate::lang::{say, spoken};
use crate::wecom::{Probe, Trusted};

/// A certificate that ends sooner than this is worth a look.
const SOON: Duration = Duration::from_hours(7 * 24);

/// Whether somebody who is to be trusted answers there.
pub(super) fn reach(network: &Network, deadline: Instant, report: &mut Report) -> bool {
    let Some(probe) = Probe::of(network) else {
        return false;
    };
    let host = probe.host.clone();
    let addresses = match probe.addresses(deadline) {
        Ok(addresses) => addresses,
        Err(failure) => {
            report.wrong("dns", failure);
            left(&["tcp", "tls"], report);
            return false;
        }
    };
    let is_address = addresses.iter().any(|it| it.ip().to_string() == host);
    let ips: Vec<String> = addresses.iter().map(|it| it.ip().to_string()).collect();
    let ips = super::setup::listed(&ips);
    report.fine(
        "dns",
        if is_address {
            say!("DNS：{host} 本身就是地址", "DNS: {host} is an address")
        } else {
            say!("DNS: {host} → {ips}", "DNS: {host} → {ips}")
        },
    );
    let connected = match probe.connect(&addresses, deadline) {
        Ok(connected) => connected,
        Err(failure) => {
            report.wrong("tcp", failure);
            left(&["tls"], report);
            return false;
        }
    };
    let (address, ms) = (connected.address, connected.time.as_millis());
    let whose = if probe.is_proxy {
        spoken().of("代理", "the proxy ")
    } else {
        ""
    };
    let what = say!(
        "TCP：连上{whose} {address}，{ms} 毫秒",
        "TCP: {whose}{address} answers, after {ms} ms"
    );
    if connected.unanswered.is_empty() {
        report.fine("tcp", what);
    } else {
        let others: Vec<String> = connected
            .unanswered
            .iter()
            .map(ToString::to_string)
            .collect();
        let others = others.join(", ");
        report.doubt(
            "tcp",
            what,
            say!("{others} 没有应答：这个地址族的路由可能不通，会拖慢每次发送", "{others} did not answer: the route of its family may be broken, which slows each send"),
        );
    }
    if !probe.speaks_tls {
        let what = if probe.is_proxy {
            say!(
                "TLS：在代理后面，由下一步检查",
                "TLS: beyond the proxy, the next step shows it"
            )
        } else {
            say!(
                "TLS：没有，api_base 是 http://",
                "TLS: none, api_base is http://"
            )
        };
        report.left("tls", what);
        return true;
    }
    match probe.trust(connected, deadline) {
        Ok(trusted) => {
            tls(&host, trusted, report);
            true
        }
        Err(error) => {
            report.wrong("tls", Failure::of(error));
            false
        }
    }
}

fn tls(host: &str, trusted: Trusted, report: &mut Report) {
    let version = trusted.version;
    let by = if trusted.by_system {
        spoken().of(
            "，签发者来自系统的证书库",
            ", its issuer known to the system's store",
        )
    } else {
        ""
    };
    let until = trusted
        .until
        .and_then(|at| chrono::DateTime::from_timestamp(at, 0));
    let day = until.map_or(String::new(), |it| it.format("%Y-%m-%d").to_string());
    let what = say!(
        "TLS：{version}，{host} 的证书可信{by}，有效期到 {day}",
        "TLS: {version}, the certificate of {host} is trusted{by}, until {day}"
    );
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let soon = i64::try_from((now + SOON).as_secs()).unwrap_or(i64::MAX);
    if trusted.until.is_some_and(|end| end < soon) {
        let hint = spoken().of(
            "证书快到期了：如果这是您的中转，请尽快更新",
            "it ends soon: if this is a relay of yours, renew it",
        );
        report.doubt("tls", what, hint);
    } else {
        report.fine("tls", what);
    }
}
