//! What everyone counts as told before the first mail: the review as it was issued.

use crate::record::{
    mark::{Mark, Remark},
    review::{Review, Standing, Today},
};

/// Everyone counts as told the packet that the review was issued with. That packet is no news; only its violations are.
pub fn as_issued(review: &Review) -> Review {
    let issued = &review.issued;
    let mut head = review.head.clone();
    head.standing = Standing::Open;
    head.pending = None;
    head.undecided = None;
    head.authoritative = issued.number;
    head.exceptions.clear();
    head.answers.clear();
    head.duties.clear();
    head.adoptions = 0;
    head.operator = None;
    head.today = Today {
        owner: issued.owner.clone(),
        owner_confirmed: !issued.violated.contains(&Mark::Remark(Remark::OwnerUnconfirmed)),
        checkpoints: issued.packet.checkpoints.clone(),
        window: issued.packet.window,
        cutover: issued.packet.cutover,
        freeze_edge: issued.packet.freeze_edge,
        violated: issued
            .violated
            .iter()
            .filter(|mark| !mark.is_violation() && **mark != Mark::Remark(Remark::OwnerUnconfirmed))
            .cloned()
            .collect(),
        silent: Vec::new(),
        elsewhere: Vec::new(),
        news: Vec::new(),
    };
    Review { head, issued: issued.clone(), authoritative: issued.clone(), pending: None }
}
