//! A review's workspace behind the owner's own signed link. It shows and changes nothing.

use decisions::Doing;
use lambda_shell::{Failure, web::Request};
use presentation::{
    link::{LinkSubject, Purpose, Token},
    page::{
        Page,
        failure::no_link,
        review::{Workspace, review},
    },
};
use refresh_core::audience::roles;
use signed_pages::{Env, LinkRefused, Opened, Read, open, signed};

pub(crate) async fn page(env: &Env, text: &str, request: &Request) -> Result<Page, Failure> {
    let Some(opened) = open(env, text, Purpose::Workspace).await? else { return Ok(no_link()) };
    let Some(read) = opened.read(env).await? else { return Ok(no_link()) };
    if !roles::may_read_record(&read.review.head, &opened.reader) {
        LinkRefused::NotTheOwner.record(Purpose::Workspace, read.now);
        return Ok(no_link());
    }
    let record = env.store.record(&read.review.head).await.doing("reading the review's record")?;
    let known = |name: &str| {
        let value = request.query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
        let number = value.parse::<u32>().ok()?;
        record.versions.iter().any(|version| version.number == number).then_some(number)
    };
    let told = env.store.told(&opened.review).await.doing("reading what people were told")?;
    let deliveries: Vec<_> = told.into_iter().filter_map(|(who, record)| Some((who, record.delivery?))).collect();
    let workspace = Workspace {
        versions: &record.versions,
        entries: &record.entries,
        verified: &record.verified,
        compare: known("from").zip(known("to")),
        path: &opened.path,
        list: None,
        deliveries: &deliveries,
    };
    Ok(review(&read.scene(&opened.reader), &workspace))
}

/// The owner's own link to the workspace, for their other pages to lead on to. It lasts as long as the link it was reached
/// by: a page that signed a longer one would keep an old mail good for ever.
pub(crate) fn link(env: &Env, opened: &Opened, read: &Read) -> Result<Option<String>, Failure> {
    if !roles::may_read_record(&read.review.head, &opened.reader) {
        return Ok(None);
    }
    let token = Token { subject: LinkSubject::Workspace, ..opened.token };
    signed(env, &token).map(Some)
}
