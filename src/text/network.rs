//! The messages about network failures, and about unusable network settings.

use crate::error::Failure;
use crate::wecom::{
    CaFault, CertificateFault, ClientError, NetworkError, NetworkTrouble, Phase, ProxyFault,
    TlsFault,
};

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::CaFile(path, fault) => {
                let why = match fault {
                    CaFault::Unread(error) => error.to_string(),
                    CaFault::NotAFile => not_a_file(),
                    CaFault::TooLarge(most) => larger_than(most),
                    CaFault::Bad(why) => bad_certificates(why),
                    CaFault::Empty => no_certificates(),
                };
                ca_file(path.display(), why)
            }
            ClientError::Proxy => bad_proxy(),
            ClientError::Settings(why) => bad_network_settings(why),
            ClientError::Runtime(error) => no_resources(error),
        }
    }
}

texts! {
    not_a_file() = "它不是普通文件", "it is not a regular file";
    larger_than(bytes) = "它大于 {bytes} 字节", "it is larger than {bytes} bytes";
    bad_certificates(why) = "里面的证书不对（{why}）", "{why}";
    no_certificates() = "里面没有证书", "it contains no certificate";
}

failures! {
    ca_file(path, why) => Config,
        "ca_file {path} 用不了：{why}", "ca_file {path}: {why}",
        "里面要有 PEM 格式的证书，而且运行 wxpush 的用户要能读它",
        "it must contain certificates in PEM, and be readable by the user that runs wxpush";
    bad_proxy() => Config, "代理的 URL 无效", "the proxy's URL is not valid";
    bad_network_settings(why) => Config,
        "网络设置用不了（{why}）", "the network settings cannot be used: {why}";
    no_resources(error) => Io,
        "打不开连接，什么都没有发出：{error}", "cannot open a connection, so nothing was sent: {error}",
        "可能是打开的文件太多：看 `ulimit -n`", "too many files may be open: see `ulimit -n`";
}

/// Returns the failure for trouble on the route to WeCom.
pub(super) fn failure(trouble: &NetworkTrouble) -> Failure {
    let NetworkTrouble { error, route, .. } = trouble;
    let (host, peer) = (far_end(trouble), peer(trouble));
    let hint_or_proxy = |hint| hint_or_proxy(trouble, hint);
    match error {
        NetworkError::UnknownHost { name } => {
            no_such_host(name, role(trouble)).hint(hint_or_proxy(spelling()))
        }
        NetworkError::Lookup { name, reason } => lookup(name, role(trouble), reason),
        NetworkError::Timeout(Phase::LookingUp) => no_name_server(),
        NetworkError::Timeout(Phase::Connecting | Phase::Handshaking | Phase::Connected) => {
            no_answer(host).hint(match route.proxy {
                Some(_) => proxy_hint(),
                None => slow(),
            })
        }
        NetworkError::Timeout(Phase::Sending | Phase::Unreadable) => answer_late(host),
        NetworkError::NotOurAddress(address) => not_our_address(address),
        NetworkError::Refused => refuses(peer).hint(hint_or_proxy(check_port())),
        NetworkError::Unreachable(why) => {
            unreachable(peer, why).hint(hint_or_proxy(check_network()))
        }
        NetworkError::OutOfDescriptors(why) => out_of_descriptors(host, why),
        NetworkError::Tls(fault) => tls(*fault, trouble),
        NetworkError::Proxy(fault) => proxy(fault, peer, &route.host),
        NetworkError::Unconnected(why) if route.local_address.is_some() => {
            unconnected(host, why).hint(other_network())
        }
        NetworkError::Unconnected(why) if route.plain => unconnected(host, why).hint(needs_https()),
        NetworkError::Unconnected(why) => unconnected(host, why),
        NetworkError::Broken(why) if route.plain => broken(host, why).hint(needs_https()),
        NetworkError::Broken(why) => broken(host, why),
    }
}

/// Names the host, and the proxy before it.
fn far_end(trouble: &NetworkTrouble) -> String {
    match &trouble.route.proxy {
        Some(proxy) => through_proxy(&trouble.route.host, proxy),
        None => trouble.route.host.clone(),
    }
}

/// Names the side that failed.
fn peer(trouble: &NetworkTrouble) -> String {
    match &trouble.route.proxy {
        Some(proxy) if trouble.at_proxy => the_proxy(proxy),
        _ => far_end(trouble),
    }
}

fn role(trouble: &NetworkTrouble) -> String {
    if trouble.at_proxy {
        proxy_role()
    } else {
        String::new()
    }
}

/// Returns a hint about the host, or the one about proxies if the proxy failed.
fn hint_or_proxy(trouble: &NetworkTrouble, hint: String) -> String {
    if trouble.at_proxy { proxy_hint() } else { hint }
}

fn proxy(fault: &ProxyFault, peer: String, host: &str) -> Failure {
    match fault {
        ProxyFault::Unreachable | ProxyFault::WantsLogin => proxy_unreachable(peer),
        ProxyFault::Denied => proxy_denies(peer, host),
        ProxyFault::Failed(why) => proxy_fails(peer, host, why),
    }
    .hint(proxy_hint())
}

texts! {
    through_proxy(host, proxy) = "{host} (经代理 {proxy})", "{host} through the proxy {proxy}";
    the_proxy(proxy) = "代理 {proxy}", "the proxy {proxy}";
    proxy_role() = " (代理)", ", the proxy";
    proxy_hint() =
        "检查配置文件里 [network] 的 proxy，或环境变量 https_proxy 和 all_proxy",
        "check [network] proxy in the config, or https_proxy and all_proxy in the environment";
    spelling() =
        "检查 [network] api_base 的拼写，以及 /etc/resolv.conf 里的域名服务器",
        "check its spelling in [network] api_base, and the name servers in /etc/resolv.conf";
    slow() =
        "检查本机网络、路由和防火墙；都没问题，就是对方主机或中转过载了",
        "check this machine's network, route and firewall; if they are fine, the host or a relay is overloaded";
    check_port() =
        "检查 [network] api_base 的主机和端口，以及它的服务是否在运行",
        "check host and port of [network] api_base, and whether its service runs";
    check_network() =
        "检查本机网络：网卡、路由、途中的防火墙",
        "check this machine's network: its link, its route, a firewall on the way";
    other_network() =
        "local_address 和对方主机可能不是同一种地址，或不在同一个网络",
        "local_address may be of another family or network than the host";
    needs_https() =
        "如果对方用 TLS，api_base 要以 https:// 开头",
        "if it speaks TLS, api_base must begin with https://";
}

failures! {
    no_such_host(name, role) => NotNow, "没有这个主机：{name}{role}", "no such host: {name}{role}";
    lookup(name, role, reason) => NotNow,
        "查不到 {name}{role} 的地址（{reason}）", "cannot look up {name}{role}: {reason}",
        "检查本机网络，以及 /etc/resolv.conf 里的域名服务器",
        "check this machine's network, and the name servers in /etc/resolv.conf";
    no_name_server() => NotNow,
        "域名服务器没有及时答复", "no name server answers in time",
        "检查本机网络，以及 /etc/resolv.conf 里的域名服务器",
        "check this machine's network, and the name servers in /etc/resolv.conf";
    no_answer(host) => NotNow, "没有及时等到 {host} 的答复", "no answer from {host} in time";
    answer_late(host) => NotNow,
        "消息已发给 {host}，但没有及时等到答复", "the message was sent to {host}, but no answer came in time";
    not_our_address(address) => NotNow,
        "local_address {address} 不是本机的地址", "local_address {address} is not an address of this machine",
        "改 [network] local_address：`ip address` 列出本机有哪些",
        "correct [network] local_address: `ip address` lists the addresses";
    refuses(peer) => NotNow,
        "{peer} 拒绝连接：那里没有程序在监听", "{peer} refuses the connection: nothing listens there";
    unreachable(peer, why) => NotNow, "{peer} 连不上：{why}", "{peer} cannot be reached: {why}";
    out_of_descriptors(host, why) => NotNow,
        "连不上 {host}：{why}", "cannot connect to {host}: {why}",
        "打开的文件太多：看 `ulimit -n`", "too many files are open: see `ulimit -n`";
    proxy_unreachable(peer) => NotNow, "{peer} 连不上", "{peer} cannot be reached";
    proxy_denies(peer, host) => NotNow,
        "{peer} 不放行到 {host} 的连接", "{peer} does not allow connections to {host}";
    proxy_fails(peer, host, why) => NotNow,
        "{peer} 到不了 {host}（{why}）", "{peer} cannot connect to {host}: {why}";
    unconnected(host, why) => NotNow, "连不上 {host}（{why}）", "cannot connect to {host}: {why}";
    broken(host, why) => NotNow,
        "与 {host} 的连接断了（{why}）", "the connection to {host} broke: {why}";
}

/// Returns the failure for a failed TLS handshake.
fn tls(fault: TlsFault, trouble: &NetworkTrouble) -> Failure {
    let peer = peer(trouble);
    match fault {
        TlsFault::TooOld => old_tls(peer),
        TlsFault::NotTls if trouble.at_proxy => not_tls(peer).hint(plain_proxy()),
        TlsFault::NotTls => not_tls(peer).hint(tls_port()),
        TlsFault::HungUp => hung_up(peer).hint(hint_or_proxy(trouble, intercepted())),
        TlsFault::Failed => no_handshake(peer).hint(hint_or_proxy(trouble, intercepted())),
        TlsFault::Certificate(fault) => certificate(fault, peer),
    }
}

/// Returns the failure for a rejected certificate, with the time of the check.
fn certificate(fault: CertificateFault, peer: String) -> Failure {
    let now = chrono::Utc::now().format("%Y-%m-%d %H:%M UTC");
    match fault {
        CertificateFault::Expired => certificate_expired(peer, now),
        CertificateFault::NotYetValid => certificate_not_yet_valid(peer, now),
        CertificateFault::UnknownIssuer => unknown_issuer(peer, now),
        CertificateFault::WrongName => wrong_name(peer, now),
        CertificateFault::ForbiddenName => forbidden_name(peer, now),
        CertificateFault::IsAuthority => is_authority(peer, now),
        CertificateFault::Revoked => certificate_revoked(peer, now).hint(intercepted()),
        CertificateFault::Invalid => certificate_invalid(peer, now).hint(intercepted()),
    }
}

texts! {
    intercepted() =
        "中间可能隔着上网认证页、代理或防火墙；自建的中转则要用 CA 签发的证书",
        "a portal, proxy or firewall may intercept the connection; a relay needs a certificate signed by an authority";
    tls_port() =
        "检查 [network] api_base 的端口；中间可能隔着上网认证页或代理",
        "check the port of [network] api_base; a portal or proxy may intercept the connection";
    plain_proxy() =
        "代理的 URL 要以 http:// 开头，除非代理本身用 TLS",
        "the proxy's URL must begin with http://, unless the proxy itself speaks TLS";
}

failures! {
    old_tls(peer) => NotNow,
        "{peer} 没有安全的 TLS：需要 TLS 1.2 或 1.3", "{peer} does not support TLS 1.2 or 1.3",
        "您的中转或代理要升级 TLS；企业微信自己是支持的",
        "upgrade TLS on your relay or proxy; WeCom itself supports both";
    not_tls(peer) => NotNow, "{peer} 不用 TLS", "{peer} does not speak TLS";
    hung_up(peer) => NotNow,
        "{peer} 在 TLS 建立之前挂断了", "{peer} hung up during the TLS handshake";
    no_handshake(peer) => NotNow, "与 {peer} 没能建立 TLS", "the TLS handshake with {peer} failed";
    certificate_expired(peer, now) => NotNow,
        "{peer} 的证书已过期，本机时钟是 {now}",
        "the certificate of {peer} has expired, by this machine's clock: {now}",
        "时钟不对就校准（timedatectl）；时钟没错，就是那边要换新证书",
        "if the clock is wrong, set it (timedatectl); otherwise {peer} needs a new certificate";
    certificate_not_yet_valid(peer, now) => NotNow,
        "{peer} 的证书还没生效，本机时钟是 {now}",
        "the certificate of {peer} is not valid yet, by this machine's clock: {now}",
        "时钟不对就校准（timedatectl）；时钟没错，就是那边要换新证书",
        "if the clock is wrong, set it (timedatectl); otherwise {peer} needs a new certificate";
    unknown_issuer(peer, now) => NotNow,
        "{peer} 的证书不是本机信任的机构签发的（时钟 {now}）",
        "the certificate of {peer} is not signed by an authority that this machine trusts (clock: {now})",
        "中间可能隔着上网认证页或代理；如果是你们自己的，把它的 CA 证书放进 [network] ca_file",
        "a portal or proxy may intercept the connection; if it is yours, put its CA certificate into [network] ca_file";
    wrong_name(peer, now) => NotNow,
        "收到的证书不是 {peer} 的，是别人的（时钟 {now}）",
        "the certificate received is not for {peer} but for another name (clock: {now})",
        "中间可能隔着上网认证页或代理；自建的中转要有 api_base 里那个域名的证书",
        "a portal or proxy may intercept the connection; a relay needs a certificate for the name in api_base";
    forbidden_name(peer, now) => NotNow,
        "{peer} 的证书里有签发它的 CA 无权签发的域名（时钟 {now}）",
        "the certificate of {peer} has a name that its authority may not sign (clock: {now})",
        "换由另一个 CA 签发证书，或者放宽这个 CA 的名称约束（Name Constraints）",
        "have another authority sign it, or widen this one's name constraints";
    is_authority(peer, now) => NotNow,
        "{peer} 的证书是 CA 自己的，或者是自签名的（时钟 {now}）",
        "the certificate of {peer} is an authority's own, or self-signed (clock: {now})",
        "给它换成带 basicConstraints CA:FALSE 的证书，并把签发者放进 [network] ca_file",
        "give it a certificate with basicConstraints CA:FALSE, and put its issuer into [network] ca_file";
    certificate_revoked(peer, now) => NotNow,
        "{peer} 的证书已被吊销（时钟 {now}）", "the certificate of {peer} has been revoked (clock: {now})";
    certificate_invalid(peer, now) => NotNow,
        "{peer} 的证书无效（时钟 {now}）", "the certificate of {peer} is not valid (clock: {now})";
}
