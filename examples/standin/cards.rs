//! The rules of template cards: what each `card_type` must have, and how long its lists may be.
//!
//! The lengths of a card's texts are recommended, not enforced: WeCom's page calls them advice.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::time::SystemTime;

use serde_json::Value;

use super::fields::{Fields, integer, object, objects, required, string};
use super::kinds::{Desk, Found, address};
use super::refusal::Refusal;
use super::road::Road;

/// Bytes that a key of a button or a question may have.
const KEY_MOST: usize = 1024;
/// Bytes that the id of a card or an option may have.
const ID_MOST: usize = 128;

/// Checks a card and returns what is seen of it.
pub fn read(desk: &Desk<'_>, card: &Fields, now: SystemTime) -> Result<Found, Refusal> {
    let card_type = string(card, "card_type")?;
    let plain = ["text_notice", "news_notice"].contains(&card_type);
    let asks = [
        "button_interaction",
        "vote_interaction",
        "multiple_interaction",
    ]
    .contains(&card_type);
    if !(plain || asks && desk.road == Road::App) {
        return Err(Refusal::of(42031));
    }
    let mut found = Found {
        callback: asks,
        ..Found::default()
    };
    if let Some(menu) = object(card, "action_menu")? {
        if desk.road == Road::Robot {
            return Err(Refusal::of(40058));
        }
        keys(menu, "action_list", 1..=3, (42020, 42019, 42051))?;
        found.callback = true;
    }
    task_id(card, found.callback)?;
    titles(desk, card, card_type, &mut found)?;
    horizontal(desk, card, now, &mut found)?;
    pieces(desk, card, card_type, &mut found)?;
    jumps(card, &mut found)?;
    action(card, plain)?;
    match card_type {
        "button_interaction" => {
            let buttons = keys(card, "button_list", 1..=6, (42038, 42039, 42039))?;
            found.lines.extend(buttons);
            if let Some(selection) = object(card, "button_selection")? {
                question(selection, 10)?;
            }
        }
        "vote_interaction" => {
            let checkbox = object(card, "checkbox")?.ok_or_else(|| Refusal::of(42043))?;
            found.lines.extend(question(checkbox, 20)?);
            submit(card)?;
        }
        "multiple_interaction" => {
            let lists = objects(card, "select_list")?;
            if !(1..=3).contains(&lists.len()) {
                return Err(Refusal::of(42047));
            }
            for list in lists {
                found.lines.extend(question(list, 10)?);
            }
            submit(card)?;
        }
        _ => {}
    }
    Ok(found)
}

fn task_id(card: &Fields, needed: bool) -> Result<(), Refusal> {
    let task_id = string(card, "task_id")?;
    let letters = |c: char| c.is_ascii_alphanumeric() || "_-@".contains(c);
    let wrong = task_id.len() > ID_MOST || !task_id.chars().all(letters);
    if wrong || needed && task_id.is_empty() {
        Err(Refusal::of(42014))
    } else {
        Ok(())
    }
}

/// The title and what may stand in its place.
fn titles(
    desk: &Desk<'_>,
    card: &Fields,
    card_type: &str,
    found: &mut Found,
) -> Result<(), Refusal> {
    let none = Fields::new();
    let main = object(card, "main_title")?;
    let (title, desc) = {
        let main = main.unwrap_or(&none);
        (string(main, "title")?, string(main, "desc")?)
    };
    let sub = string(card, "sub_title_text")?;
    let missing = match card_type {
        "text_notice" if desk.road == Road::Robot => {
            main.is_none() || title.is_empty() && sub.is_empty()
        }
        "text_notice" => title.is_empty() && sub.is_empty(),
        "news_notice" => title.is_empty(),
        _ => main.is_none_or(Fields::is_empty),
    };
    if missing {
        return Err(Refusal::of(42033));
    }
    let emphasis = object(card, "emphasis_content")?.unwrap_or(&none);
    let quote = object(card, "quote_area")?.unwrap_or(&none);
    target(quote, 0..=2, 40058)?;
    let source = string(object(card, "source")?.unwrap_or(&none), "desc")?;
    let texts = [
        source,
        title,
        desc,
        string(emphasis, "title")?,
        string(emphasis, "desc")?,
        string(quote, "title")?,
        string(quote, "quote_text")?,
        sub,
    ];
    let texts = texts.into_iter().filter(|text| !text.is_empty());
    found.lines.extend(texts.map(str::to_owned));
    Ok(())
}

fn horizontal(
    desk: &Desk<'_>,
    card: &Fields,
    now: SystemTime,
    found: &mut Found,
) -> Result<(), Refusal> {
    let rows = objects(card, "horizontal_content_list")?;
    if rows.len() > 6 {
        return Err(Refusal::of(42035));
    }
    for row in rows {
        let (name, value) = (required(row, "keyname", 42027)?, string(row, "value")?);
        match integer(row, "type", 0)? {
            0 => {}
            1 => drop(address(required(row, "url", 42028)?)?),
            2 => found
                .media
                .push(desk.upload(row, "media_id", 42029, "file", now)?),
            3 => drop(required(row, "userid", 42050)?),
            _ => return Err(Refusal::of(40058)),
        }
        found.lines.push(format!("{name}: {value}"));
    }
    Ok(())
}

/// What a `news_notice` has beside its title.
fn pieces(
    desk: &Desk<'_>,
    card: &Fields,
    card_type: &str,
    found: &mut Found,
) -> Result<(), Refusal> {
    let rows = objects(card, "vertical_content_list")?;
    if rows.len() > 4 {
        return Err(Refusal::of(42036));
    }
    for row in rows {
        found.lines.push(required(row, "title", 42033)?.to_owned());
        found.lines.push(string(row, "desc")?.to_owned());
    }
    let (image, area) = (
        object(card, "card_image")?,
        object(card, "image_text_area")?,
    );
    if let Some(image) = image {
        address(required(image, "url", 42044)?)?;
        let ratio = image.get("aspect_ratio").map_or(Some(1.3), Value::as_f64);
        if !ratio.is_some_and(|ratio| (1.3..2.25).contains(&ratio)) {
            return Err(Refusal::of(40058));
        }
    }
    if let Some(area) = area {
        target(area, 0..=2, 40058)?;
        address(required(area, "image_url", 42028)?)?;
    }
    let area_will_do = desk.road != Road::Robot && area.is_some();
    if card_type == "news_notice" && image.is_none() && !area_will_do {
        return Err(Refusal::of(42044));
    }
    Ok(())
}

fn jumps(card: &Fields, found: &mut Found) -> Result<(), Refusal> {
    let jumps = objects(card, "jump_list")?;
    if jumps.len() > 3 {
        return Err(Refusal::of(42042));
    }
    for jump in jumps {
        found.lines.push(required(jump, "title", 42033)?.to_owned());
        target(jump, 0..=2, 40058)?;
    }
    Ok(())
}

fn action(card: &Fields, needed: bool) -> Result<(), Refusal> {
    match object(card, "card_action")? {
        None if needed => Err(Refusal::of(42045)),
        None => Ok(()),
        Some(action) => target(action, i64::from(needed)..=2, 42045),
    }
}

/// Where a touch leads: nowhere, to an address or to a mini program.
fn target(fields: &Fields, types: RangeInclusive<i64>, wrong: i64) -> Result<(), Refusal> {
    let to = integer(fields, "type", 0)?;
    if !types.contains(&to) {
        return Err(Refusal::of(wrong));
    }
    match to {
        1 => drop(address(required(fields, "url", 42028)?)?),
        2 => drop(required(fields, "appid", 42030)?),
        _ => {}
    }
    Ok(())
}

/// The texts of buttons, whose keys must be there and differ, but for those that lead to an address.
fn keys(
    fields: &Fields,
    list: &str,
    count: RangeInclusive<usize>,
    (no_text, no_key, same_key): (i64, i64, i64),
) -> Result<Vec<String>, Refusal> {
    let buttons = objects(fields, list)?;
    if !count.contains(&buttons.len()) {
        return Err(Refusal::of(40058));
    }
    let mut seen = HashSet::new();
    let mut texts = Vec::new();
    for button in buttons {
        texts.push(required(button, "text", no_text)?.to_owned());
        if list == "button_list" && integer(button, "type", 0)? == 1 {
            address(required(button, "url", 42028)?)?;
            continue;
        }
        let key = required(button, "key", no_key)?;
        if key.len() > KEY_MOST {
            return Err(Refusal::of(no_key));
        }
        if !seen.insert(key) {
            return Err(Refusal::of(same_key));
        }
    }
    Ok(texts)
}

/// The options of a question.
fn question(fields: &Fields, most: usize) -> Result<Vec<String>, Refusal> {
    if required(fields, "question_key", 42043)?.len() > KEY_MOST {
        return Err(Refusal::of(42043));
    }
    let options = objects(fields, "option_list")?;
    if !(1..=most).contains(&options.len()) {
        return Err(Refusal::of(42037));
    }
    let mut texts = Vec::new();
    for option in options {
        if required(option, "id", 42040)?.len() > ID_MOST {
            return Err(Refusal::of(42040));
        }
        texts.push(required(option, "text", 42041)?.to_owned());
    }
    Ok(texts)
}

fn submit(card: &Fields) -> Result<(), Refusal> {
    let button = object(card, "submit_button")?.ok_or_else(|| Refusal::of(42046))?;
    string(button, "text")?;
    if required(button, "key", 42046)?.len() > KEY_MOST {
        return Err(Refusal::of(42046));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
