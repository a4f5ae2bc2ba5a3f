//! Words for the command line, and for faults of our own.

failures! {
    option_takes_no_secret(option) => Usage,
        "没有 {option} 这个选项：任何选项都不接受 Secret",
        "there is no {option}: no option takes a secret",
        "把 corpsecret 写进配置文件，或写进一个文件并把路径放进 WXPUSH_CORPSECRET_FILE：命令行谁都看得到",
        "put corpsecret into the config, or into a file and its path into WXPUSH_CORPSECRET_FILE: everybody can see a command line";
    own_fault(place) => Bug,
        "wxpush 自身的错误，位置 {place}", "a fault of wxpush at {place}";
}
