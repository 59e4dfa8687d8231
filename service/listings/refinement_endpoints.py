"""Refinement over HTTP: one address for needs and outcomes, by the listing's id."""

from uuid import UUID

from fastapi import APIRouter

from service.access.dependencies import Tx
from service.access.routes import Route
from service.kit.http import problems
from service.listings import refinement
from service.listings.pages import Before
from service.listings.refinement_schemas import AgreementRequest, AnswerRequest, QuestionRequest, Refinement

router = APIRouter(prefix="/refinements/{listing_id}", tags=["refinement"], route_class=Route)


@router.get("", summary="Refinement of a need or outcome / 凝练过程", responses=problems(403, 404))
async def read_refinement(tx: Tx, listing_id: UUID, before: Before = None) -> Refinement:
    """Who has it in hand, what was asked, and what each revision changed: for its organization and staff."""
    return await refinement.read(tx.connection, tx.actor, listing_id, before)


@router.post(
    "/questions", status_code=201, summary="Ask the organization / 向发布单位提问", responses=problems(403, 404, 409)
)
async def ask(tx: Tx, listing_id: UUID, body: QuestionRequest) -> Refinement:
    """For brokers and operators, between submission and publication."""
    return await refinement.ask(tx.connection, tx.actor, listing_id, body)


@router.post("/questions/{question_id}/answer", summary="Answer / 回答提问", responses=problems(403, 404, 409))
async def answer(tx: Tx, listing_id: UUID, question_id: UUID, body: AnswerRequest) -> Refinement:
    """For the listing's own organization; an answer stays."""
    return await refinement.answer(tx.connection, tx.actor, listing_id, question_id, body)


@router.post(
    "/agreement", status_code=201, summary="Agree to the text / 确认当前版本", responses=problems(403, 404, 409)
)
async def agree(tx: Tx, listing_id: UUID, body: AgreementRequest) -> Refinement:
    """What somebody else wrote for your organization is published once you agreed to it."""
    return await refinement.agree(tx.connection, tx.actor, listing_id, body)
