//! The help of the command line: what each command is for, and what stands below its options.
//!
//! The options themselves have their English help in `cli`, their Chinese one in `options`.

/// Defines texts of the help: functions that return the text in the language of diagnostics.
macro_rules! helps {
    ($($name:ident = $zh:literal, $en:literal;)*) => {$(
        pub(crate) fn $name() -> &'static str {
            $crate::lang::spoken().of($zh, $en)
        }
    )*};
}

mod machine;
pub(crate) mod man;
mod options;
mod sending;
mod setup;

pub(crate) use machine::*;
pub(crate) use options::{ENGLISH_MARKS, chinese_option};
pub(crate) use sending::*;
pub(crate) use setup::*;

helps! {
    about =
        "通过企业微信把消息发到手机：用在命令行、管道和 cron 里",
        "Puts a message on a phone through WeCom (企业微信): from a shell, a pipe or cron";
    begin_with =
        "第一步：wxpush init（写配置文件），然后：wxpush send \"hello\"",
        "To begin: wxpush init (it writes the config), then: wxpush send \"hello\"";

    below =
        "示例：\n  wxpush init                            # 回答几个问题，写成配置文件\n  wxpush send \"备份完成\"                   # 发一条文本给默认收件人\n  df -h | wxpush send -t \"磁盘\"            # 命令的输出，带标题\n  wxpush send --to zhangsan,lisi --markdown '**5** 个任务失败'\n  wxpush send --dry-run hello            # 只显示要发什么，不发送\n  wxpush send --image plot.png           # 图片；另有 --file、--voice、--video\n  wxpush run --on failure -- /usr/local/bin/backup    # 失败时报告\n  wxpush outbox list                     # 已收下、还没送达的\n  wxpush check                           # 哪里设置得不对，怎么办\n  wxpush explain 60020                   # 错误码的含义和办法\n  wxpush help send                       # 某个命令的帮助\n\n写进 crontab（用绝对路径，不需要环境变量；% 要写成 \\%）：\n  7 3 * * *  /opt/wxpush/wxpush send \"夜间备份完成\"\n  * * * * *  /opt/wxpush/wxpush outbox flush    # 补发先前没发出去的\n\n退出码（run 的是它所运行命令的）：\n   0  企业微信已接受               73  没有送达，也没能保留\n  64  命令行有误                   74  读写失败\n  65  消息有误                     75  暂时没发出去：在发件箱\n  66  输入文件不存在               77  设置被拒绝：IP、Secret、权限\n  67  有收件人无法送达             78  配置有误\n  69  被拒绝\n  70  程序错误",
        "Examples:\n  wxpush init                            # the config, by answering questions\n  wxpush send \"backup done\"              # a text to the config's recipients\n  df -h | wxpush send -t \"Disk report\"   # the output of a command, and a title\n  wxpush send --to zhangsan,lisi --markdown '**5** jobs failed'\n  wxpush send --dry-run hello            # what would go to WeCom\n  wxpush send --image plot.png           # a picture; --file, --voice, --video\n  wxpush run --on failure -- /usr/local/bin/backup    # a report if it fails\n  wxpush outbox list                     # what is accepted, not yet delivered\n  wxpush check                           # what is wrong, and what to do\n  wxpush explain 60020                   # what an errcode means, what to do\n  wxpush help send                       # the help of a command\n\nCrontab (absolute path, no environment needed; % must be written \\%):\n  7 3 * * *  /opt/wxpush/wxpush send \"nightly backup done\"\n  * * * * *  /opt/wxpush/wxpush outbox flush    # what could not be sent before\n\nExit codes (of run: the command's):\n   0  accepted by WeCom             73  neither delivered nor kept\n  64  usage                         74  reading or writing failed\n  65  bad message                   75  not delivered now: in the outbox\n  66  input file missing            77  set-up refused: IP, secret, permission\n  67  some recipients not reached   78  configuration\n  69  refused\n  70  a bug";
}
