//! The limits by hand, as WeCom's pages have them: a row that is missing or wrong shows here.

use std::collections::BTreeSet;

use super::super::Channel;
use super::super::rows::{Form, Limit, Need, Rule};
use super::tables::{cases, limits};

/// From an app. `cut`: the rest is lost; `most` and `least`: refused; `unsure`: sources differ;
/// `shown`: recommended.
const APP: &str = "
    text.content cut 2048 bytes
    markdown.content most 2048 bytes
    video.title cut 128 bytes
    video.description cut 512 bytes
    textcard.title cut 128 characters
    textcard.title unsure 128 bytes
    textcard.description cut 512 characters
    textcard.description unsure 512 bytes
    textcard.url most 2048 bytes
    textcard.url unsure 1024 bytes
    textcard.btntxt cut 4 characters
    news.articles items 1 8
    news.articles[0].title cut 128 bytes
    news.articles[0].description cut 512 bytes
    news.articles[0].url most 2048 bytes
    news.articles[0].url unsure 1024 bytes
    news.articles[0].picurl most 2048 bytes
    news.articles[0].picurl unsure 1024 bytes
    news.articles[0].pagepath most 128 bytes
    mpnews.articles items 1 8
    mpnews.articles[0].title cut 128 bytes
    mpnews.articles[0].content most 681984 bytes
    mpnews.articles[0].content unsure 666000 bytes
    mpnews.articles[0].author most 64 bytes
    mpnews.articles[0].content_source_url unsure 1024 bytes
    mpnews.articles[0].digest cut 512 bytes";

/// From an app, but not into its chats.
const APP_ALONE: &str = "
    miniprogram_notice.title least 4 characters
    miniprogram_notice.title most 12 characters
    miniprogram_notice.page most 1024 bytes
    miniprogram_notice.description least 4 characters
    miniprogram_notice.description most 12 characters
    miniprogram_notice.content_item items 0 10
    miniprogram_notice.content_item[0].key most 10 characters
    miniprogram_notice.content_item[0].value most 30 characters
    duplicate_check_interval up to 14400
    card.source.icon_url unsure 1024 bytes
    card.source.desc shown 20 characters
    card.action_menu.action_list items 1 3
    card.action_menu.action_list[0].key most 1024 bytes
    card.task_id most 128 bytes
    card.main_title.title shown 36 characters
    card.main_title.desc shown 44 characters
    card.quote_area.url unsure 1024 bytes
    card.emphasis_content.title shown 14 characters
    card.emphasis_content.desc shown 22 characters
    card.sub_title_text shown 160 characters
    card.horizontal_content_list items 0 6
    card.horizontal_content_list[0].keyname shown 5 characters
    card.horizontal_content_list[0].value shown 30 characters
    card.horizontal_content_list[0].url unsure 1024 bytes
    card.vertical_content_list items 0 4
    card.vertical_content_list[0].title shown 38 characters
    card.vertical_content_list[0].desc shown 160 characters
    card.jump_list items 0 3
    card.jump_list[0].title shown 18 characters
    card.jump_list[0].url unsure 1024 bytes
    card.card_action.url unsure 1024 bytes
    card.card_image.url unsure 1024 bytes
    card.card_image.aspect_ratio from 1.3 below 2.25
    card.image_text_area.url unsure 1024 bytes
    card.image_text_area.image_url unsure 1024 bytes
    card.button_selection.question_key most 1024 bytes
    card.button_selection.option_list items 1 10
    card.button_selection.option_list[0].id most 128 bytes
    card.button_selection.option_list[0].text shown 16 characters
    card.button_list items 1 6
    card.button_list[0].text shown 10 characters
    card.button_list[0].key most 1024 bytes
    card.button_list[0].url unsure 1024 bytes
    card.checkbox.question_key most 1024 bytes
    card.checkbox.option_list items 1 20
    card.checkbox.option_list[0].id most 128 bytes
    card.checkbox.option_list[0].text shown 17 characters
    card.select_list items 1 3
    card.select_list[0].question_key most 1024 bytes
    card.select_list[0].option_list items 1 10
    card.select_list[0].option_list[0].id most 128 bytes
    card.select_list[0].option_list[0].text shown 16 characters
    card.submit_button.text shown 10 characters
    card.submit_button.key most 1024 bytes";

/// From a robot.
const ROBOT: &str = "
    text.content most 2048 bytes
    markdown.content most 4096 bytes
    markdown_v2.content most 4096 bytes
    news.articles items 1 8
    news.articles[0].title cut 128 bytes
    news.articles[0].description cut 512 bytes
    news.articles[0].url most 2048 bytes
    news.articles[0].url unsure 1024 bytes
    news.articles[0].picurl most 2048 bytes
    news.articles[0].picurl unsure 1024 bytes
    card.source.icon_url unsure 1024 bytes
    card.source.desc shown 13 characters
    card.main_title.title shown 26 characters
    card.main_title.desc shown 30 characters
    card.quote_area.url unsure 1024 bytes
    card.emphasis_content.title shown 10 characters
    card.emphasis_content.desc shown 15 characters
    card.sub_title_text shown 112 characters
    card.horizontal_content_list items 0 6
    card.horizontal_content_list[0].keyname shown 5 characters
    card.horizontal_content_list[0].value shown 26 characters
    card.horizontal_content_list[0].url unsure 1024 bytes
    card.vertical_content_list items 0 4
    card.vertical_content_list[0].title shown 26 characters
    card.vertical_content_list[0].desc shown 112 characters
    card.jump_list items 0 3
    card.jump_list[0].title shown 13 characters
    card.jump_list[0].url unsure 1024 bytes
    card.card_action.url unsure 1024 bytes
    card.card_image.url unsure 1024 bytes
    card.card_image.aspect_ratio from 1.3 below 2.25
    card.image_text_area.url unsure 1024 bytes
    card.image_text_area.image_url unsure 1024 bytes";

/// What must be there, and its errcode; what numbers there are. `when type 1`: where `type` is 1.
const NEEDS: &str = "
    text.content must 44004
    markdown.content must 0
    image.media_id must 41006
    voice.media_id must 41006
    video.media_id must 41006
    file.media_id must 41006
    textcard.title must 41016
    textcard.description must 41033
    textcard.url must 41010
    news.articles must 0
    news.articles[0].title must 41016
    news.articles[0].url unless appid 41010
    news.articles[0].appid with pagepath 0
    news.articles[0].pagepath with appid 0
    mpnews.articles must 0
    mpnews.articles[0].title must 41016
    mpnews.articles[0].thumb_media_id must 41006
    mpnews.articles[0].content must 0
    safe of [0, 1, 2]";

/// The same, from an app but not into its chats.
const NEEDS_ALONE: &str = "
    enable_id_trans of [0, 1]
    enable_duplicate_check of [0, 1]
    miniprogram_notice.appid must 0
    miniprogram_notice.title must 0
    miniprogram_notice.content_item[0].key must 90202
    miniprogram_notice.content_item[0].value must 90203
    card.action_menu callback
    card.action_menu.action_list must 0
    card.action_menu.action_list[0].text must 0
    card.action_menu.action_list[0].key must 0
    card.task_id must 42014
    card.task_id with action_menu 42014
    card.main_title.title unless desc 42033
    card.card_image unless image_text_area 42044
    card.button_selection.question_key must 42043
    card.button_selection.option_list must 42037
    card.button_selection.option_list[0].id must 42040
    card.button_selection.option_list[0].text must 42041
    card.card_action.type of [0, 1, 2]
    card.button_list must 0
    card.button_list[0].text must 42038
    card.button_list[0].type of [0, 1]
    card.button_list[0].style of [1, 2, 3, 4]
    card.button_list[0].key when type 0 42039
    card.button_list[0].url when type 1 42028
    card.checkbox must 0
    card.checkbox.question_key must 42043
    card.checkbox.mode of [0, 1]
    card.checkbox.option_list must 42037
    card.checkbox.option_list[0].id must 42040
    card.checkbox.option_list[0].text must 42041
    card.select_list must 42047
    card.select_list[0].question_key must 42043
    card.select_list[0].option_list must 42037
    card.select_list[0].option_list[0].id must 42040
    card.select_list[0].option_list[0].text must 42041
    card.submit_button must 42046
    card.submit_button.key must 42046";

/// The same, from a robot.
const ROBOT_NEEDS: &str = "
    text.content must 44004
    markdown.content must 40058
    markdown_v2.content must 40058
    image.base64 must 40058
    image.md5 must 301019
    voice.media_id must 41006
    file.media_id must 41006
    news.articles must 0
    news.articles[0].title must 41016
    news.articles[0].url must 41010
    card.action_menu never
    card.card_image must 42044";

/// The same, for every card from an app or a robot.
const CARD_NEEDS: &str = "
    card.source.desc_color of [0, 1, 2, 3]
    card.main_title must 42033
    card.main_title.title must 42033
    card.sub_title_text unless main_title/title 42033
    card.quote_area.type of [0, 1, 2]
    card.quote_area.url when type 1 42028
    card.quote_area.appid when type 2 42030
    card.horizontal_content_list[0].keyname must 42027
    card.horizontal_content_list[0].type of [0, 1, 2, 3]
    card.horizontal_content_list[0].url when type 1 42028
    card.horizontal_content_list[0].media_id when type 2 42029
    card.horizontal_content_list[0].userid when type 3 42050
    card.vertical_content_list[0].title must 42033
    card.jump_list[0].title must 42033
    card.jump_list[0].type of [0, 1, 2]
    card.jump_list[0].url when type 1 42028
    card.jump_list[0].appid when type 2 42030
    card.card_action must 42045
    card.card_action.type must 42045
    card.card_action.type of [1, 2]
    card.card_action.url when type 1 42028
    card.card_action.appid when type 2 42030
    card.card_image.url must 42044
    card.image_text_area.type of [0, 1, 2]
    card.image_text_area.url when type 1 42028
    card.image_text_area.appid when type 2 42030
    card.image_text_area.image_url must 0";

/// What is more than a plain text, from any channel.
const FORMS: &str = "
    textcard.url Web(45034)
    news.articles[0].url Web(45034)
    news.articles[0].picurl Picture
    mpnews.articles[0].content_source_url Link(40094)
    miniprogram_notice.emphasis_first_item flag
    text.mentioned_list strings
    text.mentioned_mobile_list strings
    card.source.icon_url Picture
    card.action_menu.action_list unique key 42051
    card.task_id Id(42014)
    card.quote_area.url Link(40094)
    card.horizontal_content_list[0].url Link(40094)
    card.jump_list[0].url Link(40094)
    card.card_action.url Link(40094)
    card.card_image.url Picture
    card.image_text_area.url Link(40094)
    card.image_text_area.image_url Picture
    card.button_list unique key 42051
    card.button_list[0].url Link(40094)
    card.checkbox.option_list[0].is_checked flag";

/// The forms of the tables, a line each.
fn forms() -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for case in cases() {
        for field in case.fields() {
            let path = field.path().replace("template_card.", "card.");
            lines.insert(match field.row.2 {
                Rule::Text(Form::Plain, _) => continue,
                Rule::Text(form, _) => format!("{path} {form:?}"),
                Rule::Flag => format!("{path} flag"),
                Rule::Strings => format!("{path} strings"),
                Rule::List(list) => match list.unique {
                    Some((key, code)) => format!("{path} unique {key} {code}"),
                    None => continue,
                },
                _ => continue,
            });
        }
    }
    lines
}

/// What the tables ask for, a line each.
fn needs_of(channel: Channel) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for case in cases().iter().filter(|case| case.channel == channel) {
        for field in case.fields() {
            let path = field.path().replace("template_card.", "card.");
            if let Rule::OneOf(numbers, _) = field.row.2 {
                lines.insert(format!("{path} of {numbers:?}"));
            }
            lines.insert(match field.row.1 {
                Need::May => continue,
                Need::Callback => format!("{path} callback"),
                Need::Must(code) => format!("{path} must {code}"),
                Need::When(other, value, code) => format!("{path} when {other} {value} {code}"),
                Need::With(other, code) => format!("{path} with {other} {code}"),
                Need::Unless(other, code) => format!("{path} unless {other} {code}"),
                Need::Never => format!("{path} never"),
            });
        }
    }
    lines
}

/// The limits of the tables, a line each.
fn of(channel: Channel) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for case in cases().iter().filter(|case| case.channel == channel) {
        for field in case.fields() {
            let path = field.path().replace("template_card.", "card.");
            match field.row.2 {
                Rule::List(list) => {
                    lines.insert(format!("{path} items {} {}", list.min, list.max));
                }
                Rule::UpTo(max) => {
                    lines.insert(format!("{path} up to {max}"));
                }
                Rule::Between(from, below) => {
                    lines.insert(format!("{path} from {from} below {below}"));
                }
                _ => {}
            }
            for (_, limit) in limits(case, &field) {
                lines.insert(match limit {
                    Limit::Cut(max, unit) => format!("{path} cut {max} {}", unit.word()),
                    Limit::Most(max, unit, _) => format!("{path} most {max} {}", unit.word()),
                    Limit::Least(min, unit) => format!("{path} least {min} {}", unit.word()),
                    Limit::Unsure(max, unit, _) => format!("{path} unsure {max} {}", unit.word()),
                    Limit::Shown(max) => format!("{path} shown {max} characters"),
                });
            }
        }
    }
    lines
}

/// Compares what is listed, a line each, with what the tables say.
fn compare(name: &str, listed: &str, tables: &BTreeSet<String>) {
    let listed = listed.lines().map(|line| line.trim().to_owned());
    let listed: BTreeSet<_> = listed.filter(|line| !line.is_empty()).collect();
    let missing: Vec<_> = listed.difference(tables).collect();
    let besides: Vec<_> = tables.difference(&listed).collect();
    assert!(missing.is_empty(), "{name} lacks {missing:#?}");
    assert!(besides.is_empty(), "{name} has {besides:#?}");
}

#[test]
fn the_tables_hold_every_limit_of_the_pages_and_no_other() {
    for (channel, listed) in [
        (Channel::App, [APP, APP_ALONE].concat()),
        (Channel::Chat, APP.to_owned()),
        (Channel::Robot, ROBOT.to_owned()),
    ] {
        compare(channel.call(), &listed, &of(channel));
    }
}

#[test]
fn the_tables_ask_for_what_the_pages_ask_for() {
    for (channel, listed) in [
        (Channel::App, [NEEDS, NEEDS_ALONE, CARD_NEEDS].concat()),
        (Channel::Chat, NEEDS.to_owned()),
        (Channel::Robot, [ROBOT_NEEDS, CARD_NEEDS].concat()),
    ] {
        compare(channel.call(), &listed, &needs_of(channel));
    }
}

#[test]
fn the_tables_know_what_is_more_than_a_text() {
    compare("a message", FORMS, &forms());
}
