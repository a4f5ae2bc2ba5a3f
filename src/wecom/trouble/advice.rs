//! What to do where the network is at fault.

use crate::lang::spoken;

/// What to look at where a name server, a route or a firewall is at fault.
pub(super) fn name_server() -> &'static str {
    spoken().of(
        "检查本机网络，以及 /etc/resolv.conf 里的域名服务器",
        "check the network of this machine, and the name servers in /etc/resolv.conf",
    )
}

pub(super) fn network() -> &'static str {
    spoken().of(
        "检查本机网络：网卡、路由、途中的防火墙",
        "check the network of this machine: its link, its route, a firewall on the way",
    )
}

pub(super) fn proxy() -> &'static str {
    spoken().of(
        "检查配置文件里 [network] 的 proxy，或环境变量 https_proxy 和 all_proxy",
        "check [network] proxy in the config, or https_proxy and all_proxy in the environment",
    )
}

pub(super) fn portal() -> &'static str {
    spoken().of(
        "中间可能隔着上网认证页、代理或防火墙；自建的中转则要用 CA 签发的证书",
        "a portal, proxy or firewall may stand in between, or a relay needs a certificate signed by an authority",
    )
}

pub(super) fn clock() -> &'static str {
    spoken().of(
        "时钟不对就校准（timedatectl）；时钟没错，就是那边要换新证书",
        "if the clock is wrong, set it (timedatectl); if it is right, a new certificate is needed there",
    )
}
