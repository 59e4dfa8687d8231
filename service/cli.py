"""The command line: duijie serve, worker, demo, import, export, evaluate, keys, doctor and the rest."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from service.audit.cli import audit_app
from service.command_line import console, errors
from service.command_line import read_settings as _settings
from service.command_line import run as _run

app = typer.Typer(
    name="duijie",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Matchmaking for technology markets / 技术市场供需对接服务. Settings come from DUIJIE_* variables.",
)
keys_app = typer.Typer(no_args_is_help=True, help="Make, rotate, list and revoke API keys / 管理 API 密钥.")
app.add_typer(keys_app, name="keys")
administrator_app = typer.Typer(no_args_is_help=True, help="Make an administrator / 管理员.")
app.add_typer(administrator_app, name="administrator")
people_app = typer.Typer(no_args_is_help=True, help="People and their passwords / 人员与密码.")
app.add_typer(people_app, name="people")
train_app = typer.Typer(no_args_is_help=True, help="Learn from decisions and graded data / 从决定和标注数据中学习.")
app.add_typer(train_app, name="train")
encoders_app = typer.Typer(no_args_is_help=True, help="Encoders: list, activate, roll back / 管理编码模型.")
app.add_typer(encoders_app, name="encoders")
models_app = typer.Typer(
    no_args_is_help=True, help="Ranking models: list, compare, activate, roll back / 管理排序模型."
)
app.add_typer(models_app, name="models")
judge_app = typer.Typer(no_args_is_help=True, help="Have people grade pairs / 人工评判.")
app.add_typer(judge_app, name="judge")

app.add_typer(audit_app, name="audit")

ImportKind = Literal["needs", "outcomes", "organizations"]


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    worker: Annotated[bool | None, typer.Option("--worker/--no-worker", help="Also run the worker here.")] = None,
) -> None:
    """Serve the API, and the worker with it unless DUIJIE_WORKER is false / 启动服务."""
    from service.serving import serve as start

    settings = _settings()
    changes = {"host": host, "port": port, "worker": worker}
    chosen = settings.model_copy(update={name: value for name, value in changes.items() if value is not None})
    _run(start(chosen))


@app.command()
def worker() -> None:
    """Embed and rank what waits in the queue, until told to stop / 启动后台计算."""
    from service.serving import work

    _run(work(_settings()))


@app.command()
def demo(once: Annotated[bool, typer.Option("--once", help="End after the tables.")] = False) -> None:
    """Load the demo data, rank it, print matches with reasons, then serve / 加载演示数据并启动."""
    from service.demo import run

    _run(run(_settings(), once=once, console=console))


@app.command()
def migrate() -> None:
    """Bring the database to the present schema / 升级数据库结构."""
    from service.resources import open_database

    _run(open_database(_settings(), migrating=True))
    console.print("database is up to date / 数据库已是最新")


@app.command()
def healthcheck() -> None:
    """Exit 0 when the database answers and its schema is the present one, else 1 / 健康检查."""
    from service.doctor import healthy

    reason = _run(healthy(_settings()))
    if reason:
        errors.print(reason, highlight=False)
        raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """Check this machine, the database, the model and the queue, and say what to do / 自检."""
    from service.doctor import examine

    if not _run(examine(_settings(), console)):
        raise typer.Exit(1)


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(exists=True, help="CSV, XLSX, JSON Lines, or a BEIR folder.")],
    kind: Annotated[ImportKind, typer.Option(help="What the rows are.")],
    organization: Annotated[
        str | None, typer.Option(help="External id of the organization of rows that name none.")
    ] = None,
    state: Annotated[
        Literal["draft", "submitted", "published"], typer.Option(help="State to bring rows to.")
    ] = "published",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write the report as a spreadsheet.")] = None,
) -> None:
    """Import needs, outcomes or organizations; good rows go in, bad rows go to the report / 导入."""
    from service.exchange.command import import_command

    if not _run(import_command(_settings(), console, path, kind, organization, state, dry_run, report)):
        raise typer.Exit(1)


@app.command()
def export(
    path: Annotated[Path, typer.Argument(help="File to write: .csv, .xlsx or .jsonl.")],
    kind: Annotated[ImportKind, typer.Option(help="What to export.")],
    state: Annotated[list[str] | None, typer.Option(help="Only these states; repeat for several.")] = None,
    language: Annotated[Literal["en", "zh"], typer.Option(help="Language of the headers.")] = "en",
) -> None:
    """Export to a file that imports back identically / 导出."""
    from service.exchange.command import export_command

    _run(export_command(_settings(), console, path, kind, state, language))


@app.command()
def template(
    path: Annotated[Path, typer.Argument(help="Spreadsheet to write (.xlsx).")],
    kind: Annotated[ImportKind, typer.Option(help="What it is for.")],
    language: Annotated[Literal["en", "zh"], typer.Option(help="Language of the headers.")] = "zh",
) -> None:
    """Write an empty spreadsheet to fill in / 生成导入模板."""
    from service.exchange.command import template_command

    _run(template_command(_settings(), console, path, kind, language))


@app.command()
def evaluate(
    dataset: Annotated[Path | None, typer.Argument(help="A BEIR folder with graded judgments.")] = None,
    systems: Annotated[str, typer.Option(help="Comma-separated: bm25, dense, rrf, duijie.")] = "bm25,dense,rrf,duijie",
    baseline: Annotated[
        str | None, typer.Option(help="System that the others are compared with; else bm25, or the first.")
    ] = None,
    ablation: Annotated[bool, typer.Option("--ablation", help="Also without each signal, and by each alone.")] = False,
    needs: Annotated[
        bool, typer.Option("--needs", help="Also need by need: the last system against the baseline.")
    ] = False,
    decisions: Annotated[
        bool, typer.Option("--decisions", help="On this market's own decisions in place of a folder.")
    ] = False,
    against: Annotated[str | None, typer.Option(help="With --decisions: version of the model to compare with.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the figures as JSON.")] = None,
) -> None:
    """Compare ranking systems on graded judgments, or models on decisions / 评测排序效果."""
    from service.evaluation import Options, run, run_decisions

    if decisions == (dataset is not None):
        raise typer.BadParameter("give a BEIR folder, or --decisions / 请给出 BEIR 文件夹或 --decisions")
    if decisions and (ablation or baseline):
        raise typer.BadParameter("--ablation and --baseline take a BEIR folder / 仅用于 BEIR 文件夹")
    if against and not decisions:
        raise typer.BadParameter("--against takes --decisions / --against 须与 --decisions 同用")
    options = Options(baseline, ablation, needs, json)
    _run(
        run(_settings(), console, dataset, systems, options)
        if dataset is not None
        else run_decisions(_settings(), console, against, options)
    )


@judge_app.command("export")
def judge_export(
    path: Annotated[Path, typer.Argument(help="Spreadsheet to write (.xlsx).")],
    dataset: Annotated[Path | None, typer.Option(help="A BEIR folder whose queries are to be judged.")] = None,
    published: Annotated[
        bool, typer.Option("--published", help="This market's own needs in place of a folder.")
    ] = False,
    needs: Annotated[int, typer.Option(min=1, max=10_000, help="With --published: how many needs.")] = 50,
    depth: Annotated[int, typer.Option(min=1, max=100, help="How many of each system's list.")] = 10,
    systems: Annotated[str, typer.Option(help="Comma-separated: bm25, dense, rrf, duijie.")] = "bm25,dense,rrf,duijie",
    seed: Annotated[int, typer.Option(help="Of the order of rows, and of the sample of needs.")] = 1,
    language: Annotated[Literal["en", "zh"], typer.Option(help="Language of the headings.")] = "en",
) -> None:
    """Write the pairs that several systems find, mixed, for people to grade 0 to 3 / 导出待评判的候选对."""
    from service.judging import Pooling, export_dataset, export_published

    if published == (dataset is not None):
        raise typer.BadParameter("give --dataset FOLDER, or --published / 请给出 --dataset 文件夹或 --published")
    pooling = Pooling(systems, depth, seed)
    _run(
        export_dataset(_settings(), console, path, dataset, pooling, language)
        if dataset is not None
        else export_published(_settings(), console, path, needs, pooling, language)
    )


@judge_app.command("import")
def judge_import(
    path: Annotated[Path, typer.Argument(exists=True, help="The spreadsheet with grades filled in.")],
    folder: Annotated[Path, typer.Argument(help="BEIR folder whose judgments the grades go into.")],
    published: Annotated[
        bool, typer.Option("--published", help="The sheet is of this market's own needs: write the whole folder.")
    ] = False,
    conflicts: Annotated[
        Literal["refuse", "keep", "replace"], typer.Option(help="Where an earlier grade differs.")
    ] = "refuse",
) -> None:
    """Read grades back into a BEIR folder, all of them or none / 读回评判等级."""
    from service.judging import import_dataset, import_published

    work = import_published if published else import_dataset
    if not _run(work(_settings(), console, path, folder, conflicts)):
        raise typer.Exit(1)


@train_app.command("encoder")
def train_encoder(
    dataset: Annotated[Path | None, typer.Argument(help="A BEIR folder with graded judgments.")] = None,
    decisions: Annotated[
        bool, typer.Option("--decisions", help="On this market's own decisions in place of a folder.")
    ] = False,
    terms: Annotated[
        Path | None, typer.Option(help="Also align languages: tab-separated terms, columns zh, en, ar.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, max=100, help="Most passes over the pairs.")] = 3,
    rate: Annotated[float, typer.Option(min=1e-6, max=0.1, help="Learning rate; with --terms 0.001 did well.")] = 3e-4,
    seed: Annotated[int, typer.Option(min=0, help="Of the order of pairs, and of which needs are held back.")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Train and compare only: keep and use nothing.")] = False,
    activate: Annotated[
        bool, typer.Option("--activate", help="Use the new encoder even if it is not proven better.")
    ] = False,
) -> None:
    """Fine-tune the encoder on a CPU; only what is proven better is used / 微调编码模型."""
    from matching.learning.encoder import Recipe
    from service.encoder_training import Options, train

    if decisions == (dataset is not None):
        raise typer.BadParameter("give a BEIR folder, or --decisions / 请给出 BEIR 文件夹或 --decisions")
    if dry_run and activate:
        raise typer.BadParameter("--dry-run and --activate exclude each other / --dry-run 与 --activate 不能同用")
    options = Options(dataset, Recipe(epochs=epochs, rate=rate, seed=seed), terms, dry_run, activate)
    _run(train(_settings(), console, options))


@encoders_app.command("list")
def encoders_list() -> None:
    """Every encoder: whether it is used, its data and figures / 编码模型列表."""
    from service.encoder_commands import listing

    console.print(_run(listing(_settings())))


@encoders_app.command("activate")
def encoders_activate(name: Annotated[str, typer.Argument(help="A name of the list, or bundled.")]) -> None:
    """Use an encoder from now on: vectors are filled in beside the old ones, then all switch / 启用编码模型."""
    from service.encoder_commands import activate

    _run(activate(_settings(), name))
    console.print(f"{name}: chosen / 已选用")


@encoders_app.command("rollback")
def encoders_rollback() -> None:
    """Return to the encoder that was used before / 回退到上一个编码模型."""
    from service.encoder_commands import rollback

    console.print(f"{_run(rollback(_settings()))}: chosen / 已选用")


@keys_app.command("create")
def keys_create(
    organization: Annotated[str, typer.Option(help="External id of the organization.")],
    role: Annotated[
        list[str], typer.Option(help="enterprise, provider, broker, operator, authority or administrator.")
    ],
    scope: Annotated[
        list[str] | None, typer.Option(help="read, write or admin; all of them unless some are named.")
    ] = None,
    label: Annotated[str, typer.Option(help="What the key is for.")] = "command line",
    name: Annotated[str | None, typer.Option(help="Register the organization under this name if it is new.")] = None,
    kind: Annotated[str, typer.Option(help="Kind of a new organization.")] = "market",
) -> None:
    """Make a key and print it, this once / 签发密钥."""
    from service.keys import create

    console.print(
        _run(create(_settings(), organization, role, scope or ["read", "write", "admin"], label, name, kind)),
        highlight=False,
    )


@keys_app.command("rotate")
def keys_rotate(
    key_id: Annotated[str, typer.Argument(help="Id of the key.")],
    overlap: Annotated[int, typer.Option(min=0, max=168, help="Hours that the old key stays valid.")] = 24,
) -> None:
    """Make a key's successor and print it, this once; the old one stays valid for a while / 轮换密钥."""
    from service.keys import rotate

    console.print(_run(rotate(_settings(), key_id, overlap)), highlight=False)


@keys_app.command("demo")
def keys_demo() -> None:
    """Print the demo's address and keys as variables of a shell / 以 shell 变量输出演示地址与密钥."""
    from service.demo_keys import as_variables

    settings = _settings()
    found = as_variables(settings)
    if found is None:
        errors.print("run `duijie demo` first / 请先运行 duijie demo", highlight=False)
        raise typer.Exit(1)
    console.print(found, highlight=False, markup=False, soft_wrap=True)


@keys_app.command("list")
def keys_list(organization: Annotated[str, typer.Option(help="External id of the organization.")]) -> None:
    """List an organization's keys, without the keys themselves / 密钥列表."""
    from service.keys import listing

    console.print(_run(listing(_settings(), organization)))


@keys_app.command("revoke")
def keys_revoke(key_id: Annotated[str, typer.Argument(help="Id of the key.")]) -> None:
    """End a key at once / 吊销密钥."""
    from service.keys import revoke

    _run(revoke(_settings(), key_id))
    console.print("revoked / 已吊销")


@administrator_app.command("create")
def administrator_create(
    name: Annotated[str, typer.Option(help="Name of the person.")],
    email: Annotated[str, typer.Option(help="E-mail of the person.")],
    organization: Annotated[str, typer.Option(help="External id of the organization.")] = "market",
    organization_name: Annotated[str, typer.Option(help="Name of the organization if it is new.")] = "技术市场",
    another: Annotated[bool, typer.Option("--another", help="Even if there is an administrator.")] = False,
) -> None:
    """Make an administrator (person, membership and key) and print the key, this once / 创建管理员."""
    from service.administration import create_administrator

    made = _run(create_administrator(_settings(), name, email, organization, organization_name, another=another))
    console.print(made, highlight=False)


@people_app.command("password")
def people_password(email: Annotated[str, typer.Argument(help="E-mail of the person.")]) -> None:
    """Set a person's password, asked for twice and never shown / 设置密码."""
    from service.administration import set_password

    password = typer.prompt("password / 密码", hide_input=True, confirmation_prompt=True)
    _run(set_password(_settings(), email, password))
    console.print("set / 已设置")


@train_app.command("ranking")
def train_ranking(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report only: keep and activate nothing.")] = False,
    min_decisions: Annotated[int, typer.Option(min=1, help="Refuse to learn from fewer decisions.")] = 50,
    activate: Annotated[
        bool, typer.Option("--activate/--no-activate", help="Let the new model rank if it is proven better.")
    ] = True,
) -> None:
    """Learn the ranking from brokers' decisions; only what is proven better is activated / 从决定中学习排序."""
    from service.training import train

    _run(train(_settings(), console, dry_run=dry_run, least=min_decisions, activating=activate))


@models_app.command("list")
def models_list() -> None:
    """Every ranking model: where it came from, by how many labels, its figures / 排序模型列表."""
    from service.training import listing

    console.print(_run(listing(_settings())))


@models_app.command("show")
def models_show(version: Annotated[str, typer.Argument(help="Version of the model.")]) -> None:
    """A model's weights and the figures it was judged by / 查看排序模型."""
    from service.training import show

    for part in _run(show(_settings(), version)):
        console.print(part)


@models_app.command("activate")
def models_activate(version: Annotated[str, typer.Argument(help="Version of the model.")]) -> None:
    """Let a model rank from now on, and rank every list anew / 启用排序模型."""
    from service.training import activate

    _run(activate(_settings(), version))
    console.print(f"{version}: active / 已启用")


@models_app.command("rollback")
def models_rollback() -> None:
    """Return to the model that was active before / 回退到上一个排序模型."""
    from service.training import rollback

    console.print(f"{_run(rollback(_settings()))}: active / 已启用")


@models_app.command("compare")
def models_compare(version: Annotated[str, typer.Argument(help="Version of the model.")]) -> None:
    """What a model would change in the stored lists, without ranking anew / 影子比较."""
    from service.training import compare

    console.print(_run(compare(_settings(), version)))


@app.command()
def openapi(path: Annotated[Path, typer.Argument(help="File to write.")]) -> None:
    """Write the OpenAPI document / 生成接口文档."""
    from service.snapshot import write_openapi

    write_openapi(path)
    console.print(f"wrote {path}")


def main() -> None:
    """Entry point of the command `duijie`."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    app()


if __name__ == "__main__":
    main()
