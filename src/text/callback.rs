//! The messages of `callback`.

texts! {
    /// The host of the URL if it is not known.
    public_address() = "<公网IP>", "<public-IP>";
    to_be_entered(url, token, key) =
        "打开管理后台 https://work.weixin.qq.com/wework_admin/frame\n  应用管理 → 该应用 → 接收消息 → 设置API接收\n填入：\n  URL             {url}\n  Token           {token}\n  EncodingAESKey  {key}",
        "Open the admin console, https://work.weixin.qq.com/wework_admin/frame\n  App Management (应用管理) → the app → Receive messages (接收消息)\n  → Set to receive messages via API (设置API接收)\nand enter:\n  URL             {url}\n  Token           {token}\n  EncodingAESKey  {key}";
    waiting(port, time) =
        "然后点“保存”。企业微信马上来验证，这里等待 {time}。\n端口 {port} 要能从公网访问。",
        "Then press Save (保存). WeCom checks the URL at once; wxpush waits {time} for it.\nPort {port} must be reachable from the internet.";
    replace_the_address() =
        "把 <公网IP> 换成这台机器的公网 IPv4 地址。",
        "Replace <public-IP> by the public IPv4 address of this host.";
    address_is_ipv6(address) =
        "接下来：企业微信看到的是 IPv6 地址 {address}，而企业可信IP 只接受 IPv4。\n在配置的 [network] 里把 local_address 设为本机的 IPv4 地址，再运行 wxpush check，它会显示要填的 IP。",
        "Next: WeCom sees the IPv6 address {address}, but Company's Trusted IP\n(企业可信IP) takes IPv4 alone. Set local_address in the config's [network] to this\nhost's IPv4 address; wxpush check then shows the IP to enter.";
    answered() = "✓ 企业微信验证通过，URL 已可用。", "✓ WeCom's check is answered: the URL is accepted.";
    enter_the_address(address) =
        "接下来，在该应用页面的底部：\n  企业可信IP → 配置，填入：{address}\n约 1 分钟后生效，再运行 wxpush check。以后不用再运行 wxpush callback。",
        "Next, at the bottom of the app's page:\n  Company's Trusted IP (企业可信IP) → Settings (配置), enter {address}\nIt takes effect after about a minute; then run wxpush check. You won't need\nwxpush callback again.";
    address_by_check() =
        "本机的公网 IP（wxpush check 会显示）", "this host's public IP (wxpush check shows it)";
    other_request() = "收到一个不是验证的请求，已答 404", "a request that is no check was answered with 404";
}

failures! {
    other_token() => NotNow,
        "收到一次验证，但签名不对，没有回答", "a check came with a wrong signature, and was not answered",
        "后台填的 Token 要与上面显示的一致；再点一次“保存”", "enter the Token as it is shown above, and press Save (保存) again";
    other_key() => NotNow,
        "收到一次验证，但解不开，没有回答", "a check came that cannot be decrypted, and was not answered",
        "后台填的 EncodingAESKey 要与上面显示的一致；再点一次“保存”", "enter the EncodingAESKey as it is shown above, and press Save (保存) again";
    other_company(company, corpid) => NotNow,
        "收到的验证来自企业 {company}，配置里的 corpid 却是 {corpid}", "the check is for company {company}, but the config's corpid is {corpid}",
        "改正 corpid，或登录正确的企业的管理后台", "correct corpid, or log in to the console of the right company";
    none_came(time) => NotNow,
        "{time} 内企业微信没有来验证", "WeCom did not ask within {time}",
        "检查防火墙、云主机的安全组和路由器的端口转发：URL 要能从公网打开；也可用 --for 等久一点。没有公网 IP：用有固定 IP 的中转或代理，或群机器人",
        "check the firewall, the cloud's security group and the router's port forwarding: the URL must open from the internet; to wait longer, use --for. No public IP: use a relay or proxy with a fixed one, or a group robot";
    none_right(time) => NotNow,
        "{time} 内没有收到正确的验证", "no right check came within {time}";
    port_taken(listen) => Io,
        "{listen} 已被别的程序占用", "{listen} is in use by another program",
        "用 --listen 换一个端口，例如 --listen 0.0.0.0:8090", "choose another port, such as --listen 0.0.0.0:8090";
    port_of_root(listen) => Io,
        "没有权限监听 {listen}：1024 以下的端口只有 root 能用", "{listen} may not be used: ports below 1024 are for root",
        "用 root 运行，或换一个端口，例如 --listen 0.0.0.0:8080", "run it as root, or choose another port, such as --listen 0.0.0.0:8080";
    address_of_others(listen) => Io,
        "{listen} 不是本机的地址", "{listen} is no address of this host",
        "监听所有地址：--listen 0.0.0.0:8080", "listen at all addresses: --listen 0.0.0.0:8080";
    cannot_listen(listen, error) => Io,
        "无法监听 {listen}：{error}", "cannot listen at {listen}: {error}";
    no_random_bytes() => Io,
        "系统没有给出随机数", "the system has no random bytes";
}
