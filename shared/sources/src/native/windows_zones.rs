//! Zones by the names that Windows, Exchange and Outlook give them.
//!
//! The calendar parser has such a table, and its table is wrong where a country changed its clocks: it reads
//! `Mountain Standard Time (Mexico)` as Chihuahua, which left that zone in 2022, and `Central Asia Standard Time` as
//! Almaty, which left it in 2024. It lacks names that are newer. Where it knows no name it takes the offset in front of
//! the name, which is an hour off in summer. So the names of Windows are looked up here first, and of the parser's
//! further names those are left out that are wrong, or have several meanings.

use calcard::common::timezone::Tz;
use refresh_core::Zone;

/// `windowsZones.xml` of CLDR 48.2, territory 001; and the three names that Microsoft added for the Canadian provinces
/// that stopped changing their clocks in 2026. In byte order.
const ZONES: [(&str, &str); 142] = [
    ("AUS Central Standard Time", "Australia/Darwin"),
    ("AUS Eastern Standard Time", "Australia/Sydney"),
    ("Afghanistan Standard Time", "Asia/Kabul"),
    ("Alaskan Standard Time", "America/Anchorage"),
    ("Alberta Standard Time", "America/Edmonton"),
    ("Aleutian Standard Time", "America/Adak"),
    ("Altai Standard Time", "Asia/Barnaul"),
    ("Arab Standard Time", "Asia/Riyadh"),
    ("Arabian Standard Time", "Asia/Dubai"),
    ("Arabic Standard Time", "Asia/Baghdad"),
    ("Argentina Standard Time", "America/Buenos_Aires"),
    ("Astrakhan Standard Time", "Europe/Astrakhan"),
    ("Atlantic Standard Time", "America/Halifax"),
    ("Aus Central W. Standard Time", "Australia/Eucla"),
    ("Azerbaijan Standard Time", "Asia/Baku"),
    ("Azores Standard Time", "Atlantic/Azores"),
    ("Bahia Standard Time", "America/Bahia"),
    ("Bangladesh Standard Time", "Asia/Dhaka"),
    ("Belarus Standard Time", "Europe/Minsk"),
    ("Bougainville Standard Time", "Pacific/Bougainville"),
    ("British Columbia Standard Time", "America/Vancouver"),
    ("Canada Central Standard Time", "America/Regina"),
    ("Cape Verde Standard Time", "Atlantic/Cape_Verde"),
    ("Caucasus Standard Time", "Asia/Yerevan"),
    ("Cen. Australia Standard Time", "Australia/Adelaide"),
    ("Central America Standard Time", "America/Guatemala"),
    ("Central Asia Standard Time", "Asia/Bishkek"),
    ("Central Brazilian Standard Time", "America/Cuiaba"),
    ("Central Europe Standard Time", "Europe/Budapest"),
    ("Central European Standard Time", "Europe/Warsaw"),
    ("Central Pacific Standard Time", "Pacific/Guadalcanal"),
    ("Central Standard Time", "America/Chicago"),
    ("Central Standard Time (Mexico)", "America/Mexico_City"),
    ("Chatham Islands Standard Time", "Pacific/Chatham"),
    ("China Standard Time", "Asia/Shanghai"),
    ("Cuba Standard Time", "America/Havana"),
    ("Dateline Standard Time", "Etc/GMT+12"),
    ("E. Africa Standard Time", "Africa/Nairobi"),
    ("E. Australia Standard Time", "Australia/Brisbane"),
    ("E. Europe Standard Time", "Europe/Chisinau"),
    ("E. South America Standard Time", "America/Sao_Paulo"),
    ("Easter Island Standard Time", "Pacific/Easter"),
    ("Eastern Standard Time", "America/New_York"),
    ("Eastern Standard Time (Mexico)", "America/Cancun"),
    ("Egypt Standard Time", "Africa/Cairo"),
    ("Ekaterinburg Standard Time", "Asia/Yekaterinburg"),
    ("FLE Standard Time", "Europe/Kiev"),
    ("Fiji Standard Time", "Pacific/Fiji"),
    ("GMT Standard Time", "Europe/London"),
    ("GTB Standard Time", "Europe/Bucharest"),
    ("Georgian Standard Time", "Asia/Tbilisi"),
    ("Greenland Standard Time", "America/Godthab"),
    ("Greenwich Standard Time", "Atlantic/Reykjavik"),
    ("Haiti Standard Time", "America/Port-au-Prince"),
    ("Hawaiian Standard Time", "Pacific/Honolulu"),
    ("India Standard Time", "Asia/Calcutta"),
    ("Iran Standard Time", "Asia/Tehran"),
    ("Israel Standard Time", "Asia/Jerusalem"),
    ("Jordan Standard Time", "Asia/Amman"),
    ("Kaliningrad Standard Time", "Europe/Kaliningrad"),
    ("Korea Standard Time", "Asia/Seoul"),
    ("Libya Standard Time", "Africa/Tripoli"),
    ("Line Islands Standard Time", "Pacific/Kiritimati"),
    ("Lord Howe Standard Time", "Australia/Lord_Howe"),
    ("Magadan Standard Time", "Asia/Magadan"),
    ("Magallanes Standard Time", "America/Punta_Arenas"),
    ("Manitoba Standard Time", "America/Winnipeg"),
    ("Marquesas Standard Time", "Pacific/Marquesas"),
    ("Mauritius Standard Time", "Indian/Mauritius"),
    ("Middle East Standard Time", "Asia/Beirut"),
    ("Montevideo Standard Time", "America/Montevideo"),
    ("Morocco Standard Time", "Africa/Casablanca"),
    ("Mountain Standard Time", "America/Denver"),
    ("Mountain Standard Time (Mexico)", "America/Mazatlan"),
    ("Myanmar Standard Time", "Asia/Rangoon"),
    ("N. Central Asia Standard Time", "Asia/Novosibirsk"),
    ("Namibia Standard Time", "Africa/Windhoek"),
    ("Nepal Standard Time", "Asia/Katmandu"),
    ("New Zealand Standard Time", "Pacific/Auckland"),
    ("Newfoundland Standard Time", "America/St_Johns"),
    ("Norfolk Standard Time", "Pacific/Norfolk"),
    ("North Asia East Standard Time", "Asia/Irkutsk"),
    ("North Asia Standard Time", "Asia/Krasnoyarsk"),
    ("North Korea Standard Time", "Asia/Pyongyang"),
    ("Omsk Standard Time", "Asia/Omsk"),
    ("Pacific SA Standard Time", "America/Santiago"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("Pacific Standard Time (Mexico)", "America/Tijuana"),
    ("Pakistan Standard Time", "Asia/Karachi"),
    ("Paraguay Standard Time", "America/Asuncion"),
    ("Qyzylorda Standard Time", "Asia/Qyzylorda"),
    ("Romance Standard Time", "Europe/Paris"),
    ("Russia Time Zone 10", "Asia/Srednekolymsk"),
    ("Russia Time Zone 11", "Asia/Kamchatka"),
    ("Russia Time Zone 3", "Europe/Samara"),
    ("Russian Standard Time", "Europe/Moscow"),
    ("SA Eastern Standard Time", "America/Cayenne"),
    ("SA Pacific Standard Time", "America/Bogota"),
    ("SA Western Standard Time", "America/La_Paz"),
    ("SE Asia Standard Time", "Asia/Bangkok"),
    ("Saint Pierre Standard Time", "America/Miquelon"),
    ("Sakhalin Standard Time", "Asia/Sakhalin"),
    ("Samoa Standard Time", "Pacific/Apia"),
    ("Sao Tome Standard Time", "Africa/Sao_Tome"),
    ("Saratov Standard Time", "Europe/Saratov"),
    ("Singapore Standard Time", "Asia/Singapore"),
    ("South Africa Standard Time", "Africa/Johannesburg"),
    ("South Sudan Standard Time", "Africa/Juba"),
    ("Sri Lanka Standard Time", "Asia/Colombo"),
    ("Sudan Standard Time", "Africa/Khartoum"),
    ("Syria Standard Time", "Asia/Damascus"),
    ("Taipei Standard Time", "Asia/Taipei"),
    ("Tasmania Standard Time", "Australia/Hobart"),
    ("Tocantins Standard Time", "America/Araguaina"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
    ("Tomsk Standard Time", "Asia/Tomsk"),
    ("Tonga Standard Time", "Pacific/Tongatapu"),
    ("Transbaikal Standard Time", "Asia/Chita"),
    ("Turkey Standard Time", "Europe/Istanbul"),
    ("Turks And Caicos Standard Time", "America/Grand_Turk"),
    ("US Eastern Standard Time", "America/Indianapolis"),
    ("US Mountain Standard Time", "America/Phoenix"),
    ("UTC", "Etc/UTC"),
    ("UTC+12", "Etc/GMT-12"),
    ("UTC+13", "Etc/GMT-13"),
    ("UTC-02", "Etc/GMT+2"),
    ("UTC-08", "Etc/GMT+8"),
    ("UTC-09", "Etc/GMT+9"),
    ("UTC-11", "Etc/GMT+11"),
    ("Ulaanbaatar Standard Time", "Asia/Ulaanbaatar"),
    ("Venezuela Standard Time", "America/Caracas"),
    ("Vladivostok Standard Time", "Asia/Vladivostok"),
    ("Volgograd Standard Time", "Europe/Volgograd"),
    ("W. Australia Standard Time", "Australia/Perth"),
    ("W. Central Africa Standard Time", "Africa/Lagos"),
    ("W. Europe Standard Time", "Europe/Berlin"),
    ("W. Mongolia Standard Time", "Asia/Hovd"),
    ("West Asia Standard Time", "Asia/Tashkent"),
    ("West Bank Standard Time", "Asia/Hebron"),
    ("West Pacific Standard Time", "Pacific/Port_Moresby"),
    ("Yakutsk Standard Time", "Asia/Yakutsk"),
    ("Yukon Standard Time", "America/Whitehorse"),
];

/// Older names by what they are called today. `None`: a name for places whose clocks differ.
const OLDER: [(&str, Option<&str>); 9] = [
    ("Almaty, Novosibirsk, North Central Asia", None),
    ("Astana, Dhaka", None),
    ("Athens, Istanbul, Minsk", None),
    ("Coordinated Universal Time", Some("UTC")),
    ("Eniwetok, Kwajalein, Dateline Time", None),
    ("Mexico Standard Time 2", None),
    ("Mid-Atlantic", None),
    ("Midway Island, Samoa", None),
    ("Saskatchewan", Some("Canada Central Standard Time")),
];

/// A zone by the name of Windows; by that name without its last words; or by an older name. An offset that stands in
/// front of the name (`(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna`) says nothing of summer.
pub fn named(name: &str) -> Option<Zone> {
    let name = name.trim();
    let bare = name.strip_prefix('(').and_then(|rest| Some(rest.split_once(')')?.1.trim())).unwrap_or(name);
    if bare.starts_with('(') {
        return None;
    }
    if let Some((_, today)) = OLDER.iter().find(|(older, _)| *older == bare) {
        return listed((*today)?);
    }
    listed(bare).or_else(|| listed(&format!("{bare} Standard Time"))).or_else(|| older(bare))
}

fn listed(name: &str) -> Option<Zone> {
    let at = ZONES.binary_search_by_key(&name, |(name, _)| name).ok()?;
    ZONES[at].1.parse().ok()
}

/// Of the parser's zone only the name: its rules are another copy of the whole database.
fn older(name: &str) -> Option<Zone> {
    match name.parse::<Tz>() {
        Ok(Tz::Tz(zone)) => zone.name().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use refresh_core::Instant;

    use super::*;

    /// Minutes east of UTC in January and in July 2027, as another reader of the IANA database (2026f) has them.
    const OFFSETS: &str = "
-720 -720: Dateline Standard Time
-660 -660: UTC-11
-600 -600: Hawaiian Standard Time
-600 -540: Aleutian Standard Time
-570 -570: Marquesas Standard Time
-540 -540: UTC-09
-540 -480: Alaskan Standard Time
-480 -480: UTC-08
-480 -420: Pacific Standard Time, Pacific Standard Time (Mexico)
-420 -420: British Columbia Standard Time, Mountain Standard Time (Mexico), US Mountain Standard Time, Yukon Standard Time
-420 -360: Mountain Standard Time
-360 -360: Alberta Standard Time, Canada Central Standard Time, Central America Standard Time, Central Standard Time (Mexico)
-360 -300: Central Standard Time
-300 -360: Easter Island Standard Time
-300 -300: Eastern Standard Time (Mexico), Manitoba Standard Time, SA Pacific Standard Time
-300 -240: Eastern Standard Time, Haiti Standard Time, Turks And Caicos Standard Time, US Eastern Standard Time
-240 -240: Central Brazilian Standard Time, Cuba Standard Time, SA Western Standard Time, Venezuela Standard Time
-240 -180: Atlantic Standard Time
-210 -150: Newfoundland Standard Time
-180 -240: Pacific SA Standard Time
-180 -180: Argentina Standard Time, Bahia Standard Time, E. South America Standard Time, Magallanes Standard Time, Montevideo Standard Time, Paraguay Standard Time, SA Eastern Standard Time, Tocantins Standard Time
-180 -120: Saint Pierre Standard Time
-120 -120: UTC-02
-120 -60: Greenland Standard Time
-60 -60: Cape Verde Standard Time
-60 0: Azores Standard Time
0 0: Greenwich Standard Time, Morocco Standard Time, Sao Tome Standard Time, UTC
0 60: GMT Standard Time
60 60: W. Central Africa Standard Time
60 120: Central Europe Standard Time, Central European Standard Time, Romance Standard Time, W. Europe Standard Time
120 120: Kaliningrad Standard Time, Libya Standard Time, Namibia Standard Time, South Africa Standard Time, South Sudan Standard Time, Sudan Standard Time
120 180: E. Europe Standard Time, Egypt Standard Time, FLE Standard Time, GTB Standard Time, Israel Standard Time, Middle East Standard Time, West Bank Standard Time
180 180: Arab Standard Time, Arabic Standard Time, Belarus Standard Time, E. Africa Standard Time, Jordan Standard Time, Russian Standard Time, Syria Standard Time, Turkey Standard Time, Volgograd Standard Time
210 210: Iran Standard Time
240 240: Arabian Standard Time, Astrakhan Standard Time, Azerbaijan Standard Time, Caucasus Standard Time, Georgian Standard Time, Mauritius Standard Time, Russia Time Zone 3, Saratov Standard Time
270 270: Afghanistan Standard Time
300 300: Ekaterinburg Standard Time, Pakistan Standard Time, Qyzylorda Standard Time, West Asia Standard Time
330 330: India Standard Time, Sri Lanka Standard Time
345 345: Nepal Standard Time
360 360: Bangladesh Standard Time, Central Asia Standard Time, Omsk Standard Time
390 390: Myanmar Standard Time
420 420: Altai Standard Time, N. Central Asia Standard Time, North Asia Standard Time, SE Asia Standard Time, Tomsk Standard Time, W. Mongolia Standard Time
480 480: China Standard Time, North Asia East Standard Time, Singapore Standard Time, Taipei Standard Time, Ulaanbaatar Standard Time, W. Australia Standard Time
525 525: Aus Central W. Standard Time
540 540: Korea Standard Time, North Korea Standard Time, Tokyo Standard Time, Transbaikal Standard Time, Yakutsk Standard Time
570 570: AUS Central Standard Time
600 600: E. Australia Standard Time, Vladivostok Standard Time, West Pacific Standard Time
630 570: Cen. Australia Standard Time
660 600: AUS Eastern Standard Time, Tasmania Standard Time
660 630: Lord Howe Standard Time
660 660: Bougainville Standard Time, Central Pacific Standard Time, Magadan Standard Time, Russia Time Zone 10, Sakhalin Standard Time
720 660: Norfolk Standard Time
720 720: Fiji Standard Time, Russia Time Zone 11, UTC+12
780 720: New Zealand Standard Time
780 780: Samoa Standard Time, Tonga Standard Time, UTC+13
825 765: Chatham Islands Standard Time
840 840: Line Islands Standard Time
";

    fn offsets(zone: Zone) -> (i32, i32) {
        let at = |text: &str| zone.offset(Instant::parse(text).expect("an instant")) / 60;
        (at("2027-01-15T12:00:00Z"), at("2027-07-15T12:00:00Z"))
    }

    #[test]
    fn each_name_of_windows_has_its_clock() {
        assert!(ZONES.is_sorted_by(|a, b| a.0 < b.0), "the table is searched in byte order");
        let mut asked = 0;
        for row in OFFSETS.lines().filter(|row| !row.is_empty()) {
            let (minutes, names) = row.split_once(": ").expect("offsets and names");
            for name in names.split(", ") {
                let zone = named(name).unwrap_or_else(|| panic!("{name}"));
                let (january, july) = offsets(zone);
                assert_eq!(format!("{january} {july}"), minutes, "{name} is {zone}");
                asked += 1;
            }
        }
        assert_eq!(asked, ZONES.len());
    }

    #[test]
    fn shorter_and_older_names_are_the_same_clocks_or_none() {
        for (name, zone) in [
            ("W. Europe", Some("Europe/Berlin")),
            ("Canada Central", Some("America/Regina")),
            ("Saskatchewan", Some("America/Regina")),
            ("Dateline", Some("Etc/GMT+12")),
            ("(UTC-05:00) Eastern Time (US & Canada)", Some("America/New_York")),
            ("(GMT-05:00) Eastern Standard Time", Some("America/New_York")),
            ("Pacific Time (US & Canada); Tijuana", Some("America/Los_Angeles")),
            // Clocks of summer are not told by an offset; nor half an hour, by the parser.
            ("(UTC+01:00) Sarajevo, Skopje, Warschau, Zagreb", None),
            ("(UTC+05:30) Somewhere", None),
            ("((UTC+01:00) x) Somewhere", None),
            ("Midway Island, Samoa", None),
            ("Athens, Istanbul, Minsk", None),
            ("Mexico Standard Time 2", None),
            ("tzone://Microsoft/Custom", None),
            ("", None),
        ] {
            assert_eq!(named(name).map(Zone::name), zone, "{name}");
        }
    }
}
