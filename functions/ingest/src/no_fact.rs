//! What is no fact: a reply by mail, and an operator's request that somebody is mailed once more. The review is found, what
//! becomes of the event is recorded, and the review hears of it. Nothing else of it is kept here.

use decisions::Doing;
use lambda_shell::{Failure, log::NOTE, queue::Outgoing};
use packet_store::{Acceptance, Accepted, Beside};
use refresh_core::{
    ReviewId,
    base::digest::Digest,
    decide::no_fact,
    facts::{
        authority::{self, Disposition, Ignored},
        event::Event,
        expected::expected,
        operator::ResendRequest,
        reply::{ReceivedReply, ReplyAbout},
    },
    record::{
        lineage::Trigger,
        message::{MailReplied, ResendRequested},
        review::Head,
    },
};

use crate::{
    Env,
    record::Arrival,
    taken::{Taken, measure, say},
};

/// What is said.
#[derive(Clone, Copy)]
pub(crate) enum NoFact<'a> {
    Reply(&'a ReceivedReply),
    Resend(&'a ReviewId, &'a ResendRequest),
}

pub(crate) async fn take(env: &Env, event: &Event, said: NoFact<'_>, arrival: Arrival<'_>) -> Result<Taken, Failure> {
    let found = match said {
        NoFact::Reply(reply) => find(env, &reply.about).await?,
        NoFact::Resend(review, _) => {
            env.store.head(review).await.doing("reading the review of a mail to send again")?
        }
    };
    let judged = no_fact::disposition(event, found.as_ref(), &env.policy.deployment, arrival.sender, arrival.now);
    let known = record(env, event, judged, arrival).await?;
    let (disposition, repeated) = known.map_or((judged, None), |known| (known.first, Some(known.this)));
    let review = found.map(|head| head.review);
    if let Some(review) = &review
        && disposition.is_applied()
        && repeated != Some(Ignored::IdCollision)
    {
        tracing::info!(target: NOTE, review_id = %review, "");
        pass_on(env, event, said, review, arrival).await?;
    }
    let became = repeated.map_or(disposition, Disposition::Ignored);
    let reviews: Vec<ReviewId> = review.into_iter().collect();
    say(event, became, reviews.len(), &[]);
    measure(became, arrival.now);
    Ok(Taken { reviews, ..Taken::of(&event.identity, &event.event_type, became) })
}

/// The review that has the object now, or that the address names.
async fn find(env: &Env, about: &ReplyAbout) -> Result<Option<Head>, Failure> {
    let reviews = match about {
        ReplyAbout::Object { uid, .. } => env.store.reviews_of_object(uid, &env.mail_domain).await,
        ReplyAbout::Review(fingerprint) => {
            env.store.find_link(*fingerprint).await.map(|review| review.into_iter().collect())
        }
    };
    for review in reviews.doing("finding the review of a reply by mail")? {
        let head = env.store.head(&review).await.doing("reading the review of a reply by mail")?;
        let of_it = |head: &Head| match about {
            ReplyAbout::Object { uid, .. } => head.meeting.uid == *uid || head.hold.uid == *uid,
            ReplyAbout::Review(_) => true,
        };
        if let Some(head) = head.filter(of_it) {
            return Ok(Some(head));
        }
    }
    Ok(None)
}

/// What an earlier delivery came to, and what this one is.
struct KnownBefore {
    first: Disposition,
    this: Ignored,
}

async fn record(
    env: &Env,
    event: &Event,
    disposition: Disposition,
    arrival: Arrival<'_>,
) -> Result<Option<KnownBefore>, Failure> {
    let expected = match disposition {
        Disposition::Applied => None,
        Disposition::Ignored(why) => expected(why, event, None, arrival.piece.at, &env.policy.deployment),
    };
    let beside = Beside { expected: expected.as_deref(), ..Beside::default() };
    let acceptance = Acceptance { event, disposition, fact: None, replaces: None, beside, at: arrival.now };
    let doing = "recording what is no fact";
    match env.store.accept(&acceptance).await.doing(doing)? {
        Accepted::Written => Ok(None),
        Accepted::Superseded => Err(Failure::passing(doing, "another event was quicker")),
        Accepted::Known(known) => {
            let this = authority::of_used_id(&known.digest, event);
            if this == Ignored::IdCollision {
                env.store.collide(event, arrival.now).await.doing("recording an id collision")?;
            }
            Ok(Some(KnownBefore { first: known.disposition, this }))
        }
    }
}

/// Said again by every delivery: an earlier one may have died before. The review counts the event once.
async fn pass_on(
    env: &Env,
    event: &Event,
    said: NoFact<'_>,
    review: &ReviewId,
    arrival: Arrival<'_>,
) -> Result<(), Failure> {
    let trigger = Trigger {
        identity: event.identity.clone(),
        event_type: event.event_type.clone(),
        subject: event.subject.clone(),
        revision: event.revision(),
        disposition: Disposition::Applied,
        not_taken: Vec::new(),
        collision: None::<Digest>,
        trace: event.trace,
    };
    let (review, arrived) = (review.clone(), arrival.piece.at);
    let group = review.as_str().to_owned();
    let message = match said {
        NoFact::Reply(said) => Outgoing::json(&MailReplied { review, reply: said.clone(), trigger, arrived }),
        NoFact::Resend(_, said) => Outgoing::json(&ResendRequested { review, resend: said.clone(), trigger, arrived }),
    };
    let message = message.doing("writing what is no fact")?.in_group(&group);
    env.refresh.send(message).await.doing("passing on what is no fact")
}
