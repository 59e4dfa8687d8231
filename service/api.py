"""The table of contents: every router under /v1."""

from fastapi import APIRouter

from service.access.endpoints import router as organizations
from service.access.key_endpoints import router as keys
from service.access.own_endpoints import router as me
from service.access.people_endpoints import router as people
from service.audit.endpoints import router as audit
from service.brokers.endpoints import router as brokers
from service.cases.endpoints import router as cases
from service.cases.endpoints import steps as case_steps
from service.cases.meeting_endpoints import router as case_meetings
from service.cases.message_endpoints import router as case_messages
from service.cases.partner_endpoints import router as partners
from service.contracts.endpoints import router as contracts
from service.contracts.subsidy_endpoints import router as subsidy_rules
from service.exchange.endpoints import router as exchange
from service.hints.endpoints import router as hints
from service.listings.refinement_endpoints import router as refinement
from service.matches.consent_endpoints import router as consents
from service.matches.endpoints import router as matches
from service.needs.endpoints import router as needs
from service.notices.endpoints import router as notifications
from service.outcomes.endpoints import router as outcomes
from service.regions.endpoints import router as regions
from service.review.endpoints import router as review
from service.taxonomy.endpoints import router as taxonomy
from service.webhooks.endpoints import router as webhooks

router = APIRouter(prefix="/v1")
router.include_router(me)
# Before organizations: a member or key of one is no step that it takes.
router.include_router(keys)
router.include_router(people)
router.include_router(organizations)
router.include_router(taxonomy)
router.include_router(regions)
router.include_router(matches)
router.include_router(consents)
router.include_router(review)
router.include_router(brokers)
router.include_router(cases)
router.include_router(case_messages)
router.include_router(case_meetings)
router.include_router(partners)
# Behind what else hangs from a case: a message or a meeting is no step that it takes.
router.include_router(case_steps)
router.include_router(exchange)
router.include_router(hints)
router.include_router(refinement)
router.include_router(needs)
router.include_router(outcomes)
router.include_router(audit)
router.include_router(contracts)
router.include_router(subsidy_rules)
router.include_router(notifications)
router.include_router(webhooks)
