use crate::sandbox::Sandbox;
use crate::standin::Standin;

#[test]
fn a_message_lands_on_the_phone_and_nothing_is_printed() {
    let standin = Standin::start();
    let sandbox = Sandbox::of(&standin);
    sandbox.wxpush("send backup done").run().is_silent();
    let landed = standin.company().phone("zhangsan");
    assert_eq!(landed.len(), 1);
    assert_eq!(landed[0].text, "backup done");
    assert_eq!(
        sandbox.names(),
        [
            "config.toml",
            "token_cache.json",
            "token_cache.lock",
            "wxpush",
            "wxpush.log"
        ]
    );
}
