//! The help of the commands for the outbox, tokens, cron, shells and manuals.

helps! {
    outbox = "已收下、还没送达的消息", "Messages accepted but not yet delivered";
    outbox_below =
        "示例：
  wxpush outbox list           # 等待的、何时再试、失败的及原因
  wxpush outbox flush          # 在 30 秒内补发能发的；写进 crontab
  wxpush outbox flush --wait   # 直到全部发完
  wxpush outbox show 9f3a1c77  # ID，或只有一条消息含有的一部分
  wxpush outbox retry --all    # 把失败的放回去",
        "Examples:
  wxpush outbox list           # what waits, when it is due, what failed and why
  wxpush outbox flush          # delivers what it can within 30s; for a crontab
  wxpush outbox flush --wait   # until nothing is left
  wxpush outbox show 9f3a1c77  # an ID, or a part of it that no other has
  wxpush outbox retry --all    # puts back what failed";
    runs = "run --every、--remind 监视的任务", "Shows the jobs that run --every and --remind watch";
    runs_below =
        "示例：
  wxpush runs                  # 上次运行、下次应在何时、连续失败几次
  wxpush runs forget backup    # 不再运行的任务

监视由 outbox flush 进行：用任务所属的用户，由 cron 运行。关机的主机什么也不会报告。",
        "Examples:
  wxpush runs                  # last run, next due, failures in a row
  wxpush runs forget backup    # a job that will not run again

Who watches is outbox flush, from cron, as the user whose job it is. A host that
is off reports nothing.";
    token = "显示或更新缓存的 access_token", "Shows or renews the cached access_token";
    crontab =
        "输出正确的 crontab 行：绝对路径、引号、% 转义",
        "Prints a correct crontab line: absolute path, quoting, % escaped";
    crontab_below =
        "示例：
  wxpush crontab '7 3 * * *' -- send \"磁盘 50%, don't panic\"
  wxpush crontab '* * * * *' -- outbox flush
  (crontab -l; wxpush crontab '17 8 * * 1' -- send -e '周一\\n又来了') |
    crontab -",
        "Examples:
  wxpush crontab '7 3 * * *' -- send \"disk at 50%, don't panic\"
  wxpush crontab '* * * * *' -- outbox flush
  (crontab -l; wxpush crontab '17 8 * * 1' -- send -e 'Monday\\nagain') |
    crontab -";
    completions = "输出 shell 的补全脚本", "Prints completions for a shell";
    completions_below =
        "示例：
  wxpush completions bash > /usr/share/bash-completion/completions/wxpush
  wxpush completions zsh > /usr/share/zsh/vendor-completions/_wxpush
  wxpush completions fish > ~/.config/fish/completions/wxpush.fish",
        "Examples:
  wxpush completions bash > /usr/share/bash-completion/completions/wxpush
  wxpush completions zsh > /usr/share/zsh/vendor-completions/_wxpush
  wxpush completions fish > ~/.config/fish/completions/wxpush.fish";
    man =
        "输出手册页，或给每个命令写一页",
        "Prints the manual page, or writes one for each command";
    man_below =
        "手册页用当前的语言。示例：
  wxpush man | man -l -
  wxpush man --dir /usr/share/man/man1
  LANG=zh_CN.UTF-8 wxpush man --dir /usr/share/man/zh_CN/man1",
        "The pages are in the language of the locale. Examples:
  wxpush man | man -l -
  wxpush man --dir /usr/share/man/man1
  LANG=zh_CN.UTF-8 wxpush man --dir /usr/share/man/zh_CN/man1";
}
