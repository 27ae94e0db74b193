"""What a careful reader finds in the plan, written down by hand and held against the data."""

from __future__ import annotations

from collections import Counter

import pytest

from geodata.model import Area, Synonym, Word, Zone
from geodata.read import Facts, read_facts

BELTS = "三(一)1(2)"
CITIES = "三(一)1(3)"
MARINE = "三(二)1"

LISTS: dict[tuple[str, str], set[str]] = {
    ("shuangdaowan", "三(一)1(1)"): {"高新技术产业", "现代服务业"},
    ("chucun", "三(一)1(1)"): {"高新技术产业", "现代服务业"},
    ("haigaoyuan", MARINE): {"海洋生物科技"},
    ("lanse-tangu", MARINE): {"海洋碳汇"},
    ("dongbu-binhai", "三(一)1(1)"): {"现代产业社区", "生产性服务"},
    ("lingang", BELTS): {"新材料", "高端装备制造"},
    ("wendeng", BELTS): {"汽车机电", "化工新材料", "电子信息", "现代物流", "文旅康养", "现代高效农业"},
    ("nanhai", BELTS): {"装备制造", "电子信息", "临港物流", "精细化工", "海洋文化旅游", "滨海度假养生"},
    ("belt-north-hightech", BELTS): {"高新技术产业", "现代服务业"},
    ("gaoqu", BELTS): {"医疗器械及医药", "电子信息", "时尚设计制造", "新材料及制品", "智能装备"},
    ("jingqu", BELTS): {"高端智造", "生物医药", "航运物流", "会展经济", "科创"},
    ("haoyunjiao", BELTS): {"商贸物流", "文化旅游", "健康养生"},
    ("rongcheng", CITIES): {"海洋经济", "装备制造", "海产品精深加工", "生物医药", "信息技术", "医养健康"},
    ("shidao", CITIES): {"海洋生物", "海产品精深加工", "港口物流"},
    ("rushan", CITIES): {"装备制造", "纺织服装", "食品加工", "新能源", "健康文旅", "现代海洋"},
    ("five-marine-economy", "三(一)2(3)"): {"海洋生物", "海洋工程装备"},
    ("five-blue-economy", "三(一)2(4)"): {"海洋先进装备", "新材料", "生物医药", "新能源"},
    ("lingang-wuliu-park", "三(一)2(4)"): {"临港物流"},
    ("five-china-korea", "三(一)2(5)"): {"高端制造", "电子信息", "医疗健康"},
    ("marine-north", MARINE): {
        "智慧海洋信息",
        "海洋高端装备",
        "海水淡化与综合利用",
        "海洋可再生能源",
        "海洋科技旅游",
    },
    ("marine-east", MARINE): {
        "生态海洋农业",
        "海洋生物产业",
        "海洋生物种业",
        "海洋生态养殖",
        "海洋生物制造",
        "渔业工程装备",
    },
    ("marine-south", MARINE): {
        "海洋生态经济",
        "现代种业",
        "特种装备",
        "滨海湿地陆海统筹碳汇技术",
        "海洋碳汇",
        "海洋种业",
        "海洋新材料",
        "海洋新能源",
        "海洋未来产业",
    },
}

VERBS = {
    "lingang": {"重点培育"},
    "wendeng": {"做大做强"},
    "nanhai": {"重点发展"},
    "gaoqu": {"重点发展"},
    "jingqu": {"大力发展"},
    "haoyunjiao": {"带动"},
    "rongcheng": {"重点发展"},
    "shidao": {"重点发展"},
    "rushan": {"重点发展"},
    "five-marine-economy": {"突破"},
    "five-blue-economy": {"大力发展"},
    "five-china-korea": {"承接"},
}

MEMBERS = {
    "five-innovation": ("gaoqu",),
    "five-city-industry": ("jingqu",),
    "five-marine-economy": ("rongcheng",),
    "five-blue-economy": ("nanhai",),
    "five-china-korea": ("weihai",),
    "belt-central-manufacturing": ("lingang", "wendeng", "nanhai"),
    "belt-north-hightech": ("gaoqu", "jingqu", "haoyunjiao"),
    "marine-north": ("yuanyao",),
    "marine-east": ("haigaoyuan",),
    "marine-south": ("lanse-tangu",),
}

POSITIONING = {
    "wendeng": {"新旧动能转换重要战略支点", "精致城市建设示范片区"},
    "nanhai": {"全国知名的海洋经济新区", "现代化滨海旅游城市"},
    "haoyunjiao": {"黄金海岸产业融合发展试验区"},
    "shidao": {"海洋经济重要增长极"},
    "huancui": set(),
    "jingqu": set(),
    "gaoqu": set(),
    "zongbaoqu": set(),
    "five-innovation": {"创新驱动发展示范区", "高质量发展先行区"},
    "five-china-korea": {
        "中韩城市合作发展示范区",
        "中韩海陆空交通枢纽区",
        "中韩新兴产业融合发展引领区",
        "中韩服务贸易先行区",
    },
}

TARGETS = {
    "cluster-it": "达到450亿元",
    "cluster-medical": "达到850亿元",
    "cluster-equipment": "达到850亿元",
    "cluster-materials": "达到300亿元",
    "cluster-marine-bio": "达到700亿元",
    "cluster-fashion-sports": "达到300亿元",
    "cluster-wellness-tourism": "突破700亿元",
    "cluster-new-energy": None,
}

PLATFORMS_IN_GAOQU_BY_THE_PLAN = {
    "gaoqu-innovation-base",
    "enterprise-points-pilot",
    "shandong-peninsula-zone",
    "innovation-carrier",
    "talent-training-base",
    "medical-innovative-cluster",
    "medical-industrialisation-base",
    "electronics-industrialisation-base",
}


KINDS = {
    "community": {"medical-community", "mariculture-community"},
    "alliance": {
        "yellow-river-alliance",
        "peninsula-alliance",
        "talent-alliance",
        "youth-science-alliance",
        "innovation-consortia",
        "innovation-alliances",
    },
    "leading-group": {"innovative-city-group", "regional-centre-group", "cluster-task-force"},
    "stage": {"stage-implementation", "stage-midterm-review", "stage-assessment"},
}

NAMED_AND_NOWHERE = {
    "industry-agglomeration-areas": ("三(一)1(4)",),
    "specialised-industrial-parks": ("三(一)1(4)",),
    "satellite-towns": ("三(一)1(4)",),
    "swan-lake-quarter": (BELTS,),
    "fishing-harbour-quarter": (BELTS,),
    "happiness-coast": ("一(一)5",),
    "mountain-leisure": ("一(一)5",),
}


@pytest.fixture(scope="module")
def facts() -> Facts:
    """Return the facts as they are shipped."""
    return read_facts()


def _place(facts: Facts, place: str) -> Zone | Area:
    return facts.zones[place] if place in facts.zones else facts.areas[place]


def _terms(facts: Facts) -> dict[tuple[str, str], Counter[str]]:
    found: dict[tuple[str, str], Counter[str]] = {}
    for row in facts.designations:
        found.setdefault((row.zone, row.clause), Counter())[row.term.zh] += 1
    return found


def test_every_file_of_facts_can_be_read(facts: Facts) -> None:
    assert facts.problems == ()


@pytest.mark.parametrize(("place", "clause"), LISTS)
def test_a_place_has_exactly_the_terms_that_its_clause_lists(facts: Facts, place: str, clause: str) -> None:
    assert _terms(facts)[place, clause] == Counter(LISTS[place, clause])


def test_no_place_has_a_list_that_the_plan_does_not_give_it(facts: Facts) -> None:
    assert set(_terms(facts)) == set(LISTS)


@pytest.mark.parametrize("place", VERBS)
def test_a_list_carries_the_verb_of_the_plan(facts: Facts, place: str) -> None:
    assert {row.verb for row in facts.designations if row.zone == place} == VERBS[place]


def test_what_the_plan_names_without_a_place_carries_its_verb_with_the_grade(facts: Facts) -> None:
    named = [(one.clause, one.term.zh, one.verb) for row in facts.industries.values() for one in row.named]
    assert [row for row in named if row[0].startswith("三") and row[2] is None] == []
    verbs = {(clause, term): verb for clause, term, verb in named}
    assert verbs["三(六)4(4)", "石墨烯"] == "大力发展"
    assert verbs["三(六)4(4)", "先进高分子材料"] == "积极发展"
    assert verbs["三(六)4(2)", "植入器械"] == "重点突破"
    assert verbs["三(二)3(1)", "近海捕捞"] == "加快…结构调整和转型升级"  # which is not faster fishing


def test_huancui_has_no_industries_and_says_why(facts: Facts) -> None:
    assert not any(row.zone == "huancui" for row in facts.designations)
    assert facts.zones["huancui"].no_industries is not None
    assert facts.zones["huancui"].clauses == ("一(一)",)


@pytest.mark.parametrize(
    "park", ["zongbaoqu", "zhonghan-park", "fuwu-maoyi-park", "zhongri-park", "zhongde-park"]
)
def test_the_bonded_zone_and_the_open_parks_are_names_only(facts: Facts, park: str) -> None:
    zone = facts.zones[park]
    assert not any(row.zone == park for row in facts.designations)
    assert zone.positioning == ()
    assert zone.no_industries is not None
    assert "三(三)2" in zone.clauses


def test_the_bonded_zone_hangs_under_no_single_county(facts: Facts) -> None:
    assert facts.zones["zongbaoqu"].parent is None
    assert facts.zones["zongbaoqu"].note is not None


def test_the_three_lists_around_nanhai_are_kept_apart(facts: Facts) -> None:
    found = _terms(facts)
    assert [clause for place, clause in found if place == "nanhai"] == [BELTS]
    assert set(found["nanhai", BELTS]) & set(found["five-blue-economy", "三(一)2(4)"]) == set()
    assert set(found["nanhai", BELTS]) & set(found["marine-south", MARINE]) == set()


def test_rushan_is_in_no_belt_and_anchors_no_area(facts: Facts) -> None:
    anchors = {member for area in facts.areas.values() for member in (*area.members, area.core)}
    assert anchors.isdisjoint({"rushan", "rushan-jingkaiqu", "rushan-binhai"})


@pytest.mark.parametrize("area", MEMBERS)
def test_an_area_has_the_members_that_the_plan_names(facts: Facts, area: str) -> None:
    assert facts.areas[area].members == MEMBERS[area]


def test_there_are_no_other_areas(facts: Facts) -> None:
    assert set(facts.areas) == set(MEMBERS)


def test_the_belts_mainly_comprise_their_members(facts: Facts) -> None:
    belts = [area for area in facts.areas.values() if area.layer == "belts"]
    assert all(belt.relation.term.zh.startswith("主要包括") for belt in belts)


def test_the_china_korea_zone_covers_the_city_and_is_not_its_park(facts: Facts) -> None:
    zone, park = facts.areas["five-china-korea"], facts.zones["zhonghan-park"]
    assert zone.members == ("weihai",)
    assert zone.core == "central-urban-area"
    assert "三(三)2" not in zone.clauses
    assert park.clauses == ("三(三)2",)


def test_the_city_areas_without_extent_are_no_zones(facts: Facts) -> None:
    names = {zone.name.zh for zone in facts.zones.values()} | {area.name.zh for area in facts.areas.values()}
    assert names.isdisjoint({"中心城市", "中心城区", "主城区", "老城区"})


def test_the_test_site_at_sea_is_a_platform_and_the_northern_core(facts: Facts) -> None:
    assert facts.areas["marine-north"].core == "test-site"
    assert facts.platforms["test-site"].name.zh == "国家海洋综合试验场"


@pytest.mark.parametrize("place", POSITIONING)
def test_a_place_is_to_become_what_the_plan_says(facts: Facts, place: str) -> None:
    assert {term.term.zh for term in _place(facts, place).positioning} == POSITIONING[place]


def test_gaoqu_is_high_technology_and_not_new_high_technology(facts: Facts) -> None:
    zone = facts.zones["gaoqu"]
    assert zone.full_name is not None
    assert zone.full_name.zh == "威海火炬高技术产业开发区"
    assert "高新技术产业开发区" not in zone.aliases


def test_there_are_four_counties_seven_zones_and_thirteen_parks(facts: Facts) -> None:
    layers = Counter(zone.layer for zone in facts.zones.values())
    assert layers == {"counties": 4, "zones": 7, "parks": 13}


def test_the_eight_clusters_have_the_targets_of_the_plan(facts: Facts) -> None:
    found = {row.id: row.target.wording if row.target else None for row in facts.clusters.values()}
    assert found == TARGETS


def test_new_energy_has_no_target_and_says_so(facts: Facts) -> None:
    assert facts.clusters["cluster-new-energy"].no_target is not None


def test_wellness_tourism_counts_tourism_income(facts: Facts) -> None:
    measures = {row.id: row.target.measure.zh for row in facts.clusters.values() if row.target}
    assert measures.pop("cluster-wellness-tourism") == "旅游收入"
    assert set(measures.values()) == {"产业集群营业收入"}


def test_only_the_plans_lead_base_stands_for_new_energy(facts: Facts) -> None:
    base = facts.platforms["shidaowan-nuclear-base"]
    assert base.clauses == ("三(六)4(8)",)
    assert base.zone == "shidao"
    assert "三(六)4(8)" not in facts.zones["shidao"].clauses


def test_four_of_the_ten_advantage_chains_are_named(facts: Facts) -> None:
    chains = [row for row in facts.chains.values() if row.kind == "advantage"]
    named = {row.name.zh for row in chains if row.name}
    assert len(chains) == 10
    assert named == {"医药医疗器械", "碳纤维等复合材料", "船舶与海工装备", "打印设备及智能服务终端"}
    assert all(row.no_name is not None for row in chains if row.name is None)


def test_the_marine_cores_build_ten_chains(facts: Facts) -> None:
    chains = Counter(row.zone for row in facts.chains.values() if row.kind == "marine")
    assert chains == {"marine-north": 5, "marine-east": 1, "marine-south": 4}


def test_the_four_of_the_eastern_core_are_an_industrial_system_and_no_chains(facts: Facts) -> None:
    system = {row.name.zh for row in facts.chains.values() if row.kind == "system" and row.name}
    assert system == {"海洋生物种业", "海洋生态养殖", "海洋生物制造", "渔业工程装备"}
    assert facts.chains["chain-marine-biology"].zone == "marine-east"


def test_no_text_of_a_cluster_is_credited_to_a_zone(facts: Facts) -> None:
    assert not any(row.clause.startswith("三(六)") for row in facts.designations)


def test_the_plan_puts_these_platforms_into_gaoqu(facts: Facts) -> None:
    found = {row.id for row in facts.platforms.values() if (row.zone, row.zone_basis) == ("gaoqu", "plan")}
    assert found == PLATFORMS_IN_GAOQU_BY_THE_PLAN


def test_what_nobody_could_locate_is_not_placed(facts: Facts) -> None:
    lost = ("atmosphere-test-station", "test-reactor", "pku-ocean-institute", "laser-communication-institute")
    assert all(facts.platforms[name].zone is None for name in lost)
    assert all(facts.platforms[name].note is not None for name in lost)


def test_the_plan_names_many_platforms_of_every_kind(facts: Facts) -> None:
    kinds = Counter(row.kind for row in facts.platforms.values())
    assert kinds["research-institute"] >= 10
    assert kinds["event"] >= 10
    assert sum(kinds.values()) >= 150


def test_communities_alliances_groups_and_stages_are_told_apart(facts: Facts) -> None:
    named = {kind: {row.id for row in facts.platforms.values() if row.kind == kind} for kind in KINDS}
    assert named == KINDS


@pytest.mark.parametrize("platform", NAMED_AND_NOWHERE)
def test_what_the_plan_names_without_an_extent_is_an_unplaced_area(facts: Facts, platform: str) -> None:
    row = facts.platforms[platform]
    assert (row.kind, row.clauses) == ("unplaced-area", NAMED_AND_NOWHERE[platform])
    assert row.note is not None


def test_a_direction_is_given_where_and_only_where_the_plan_sets_a_target(facts: Facts) -> None:
    wrong = [row.id for row in facts.indicators.values() if (row.direction is None) != (row.target is None)]
    assert wrong == []


def test_the_mass_organisations_are_told_from_party_and_departments(facts: Facts) -> None:
    names = {row.name.zh for row in facts.agencies.values() if row.level == "mass-organisation"}
    assert names == {"团市委", "市总工会", "市科协", "市文联"}


def test_every_source_is_named_in_three_languages(facts: Facts) -> None:
    assert [row.id for row in facts.sources.values() if row.label is None] == []


def test_everyday_words_find_an_industry(facts: Facts) -> None:
    rows: list[Word | Synonym] = [*facts.vocabulary, *facts.thesaurus]
    words = {
        word: row.industry
        for row in rows
        for word in (*((row.zh,) if isinstance(row.zh, str) else row.zh), *row.en, *row.ko)
    }
    assert words["复印机"] == words["photocopier"] == words["복사기"] == "printers-terminals"
    assert words["composite"] == words["복합소재"] == words["复合材料"] == "carbon-fibre"
    assert words["fishing rod"] == words["鱼竿"] == words["낚싯대"] == "leisure-sports-goods"


CLASSES = {  # one class holds only verbs that mean the same
    "lead": {"为主导产业"},
    "key": {"重点发展", "重点开展"},
    "cultivate": {"重点培育"},
    "strengthen": {"做大做强"},
    "breakthrough": {"突破"},
    "vigorous": {"大力发展"},
    "mainly": {"为主"},
    "theme": {"为建设主题", "专业化园区", "主题园区"},
    "develop": {"发展"},
    "build": {"构建", "打造", "建设"},
    "upgrade": {"提升"},
    "emphasise": {"注重"},
    "drive": {"带动"},
    "host": {"承接"},
}
COMPOUND = {
    ("gaoqu", "医疗器械及医药"): ("medical-devices", "biomedicine"),
    ("wendeng", "文旅康养"): ("health-tourism", "cultural-tourism"),
    ("rushan", "健康文旅"): ("health-tourism", "cultural-tourism"),
    ("nanhai", "滨海度假养生"): ("health-tourism", "cultural-tourism"),
    ("haoyunjiao", "商贸物流"): ("commerce-logistics", "logistics"),
    ("jingqu", "高端智造"): ("intelligent-equipment", "high-end-manufacturing"),
}
ANCHORS = {
    "five-innovation": {("gaoqu", "core")},
    "five-city-industry": {("jingqu", "support")},
    "five-marine-economy": {("rongcheng", "centre")},
    "five-blue-economy": {("nanhai", "centre")},
    "five-china-korea": set(),
    "belt-central-manufacturing": {("lingang", "part"), ("wendeng", "part"), ("nanhai", "part")},
    "belt-north-hightech": {("gaoqu", "part"), ("jingqu", "part"), ("haoyunjiao", "part")},
    "marine-north": {("yuanyao", "part")},
    "marine-east": {("haigaoyuan", "core")},
    "marine-south": {("lanse-tangu", "core")},
}
CENTRAL_CITY = {"滨海旅游度假", "商业贸易", "商务办公", "金融服务", "创新研发", "先进制造业"}


def test_the_plans_grades_are_kept_apart(facts: Facts) -> None:
    found: dict[str, set[str]] = {}
    for row in facts.designations:
        found.setdefault(row.emphasis, set()).add(row.verb)
    assert found == CLASSES


def test_a_term_that_names_several_industries_is_filed_under_each(facts: Facts) -> None:
    found = {(row.zone, row.term.zh): row.industries for row in facts.designations if len(row.industries) > 1}
    assert found == COMPOUND
    assert facts.chains["chain-medical"].industries == ("medical-devices", "biomedicine")


@pytest.mark.parametrize("area", ANCHORS)
def test_an_area_hangs_on_the_zones_that_the_plan_says(facts: Facts, area: str) -> None:
    assert {(one.zone, one.role) for one in facts.areas[area].anchors} == ANCHORS[area]


def test_what_the_plan_says_of_extents_is_recorded(facts: Facts) -> None:
    extents = {row.id: row.extent for row in facts.areas.values() if row.extent != "not-stated"}
    assert extents == {
        "five-china-korea": "whole-city",
        "belt-central-manufacturing": "mainly-members",
        "belt-north-hightech": "mainly-members",
    }


def test_the_bonded_zone_has_tasks_in_logistics_and_a_body(facts: Facts) -> None:
    zone, body = facts.zones["zongbaoqu"], facts.agencies["zongbaoqu-committee"]
    assert {task.verb for task in zone.tasks} == {"推动", "开展"}
    assert all("port-logistics" in task.industries for task in zone.tasks)
    assert body.governs is not None
    assert (body.governs.zone, body.governs.clause) == ("zongbaoqu", "通知")


def test_the_six_core_functions_of_the_central_city_are_named(facts: Facts) -> None:
    named = [one for row in facts.industries.values() for one in row.named if one.scope == "central-city"]
    assert {one.term.zh for one in named} == CENTRAL_CITY
    assert {(one.clause, one.verb) for one in named} == {("三(一)1(1)", "重点发展")}


def test_the_base_that_leads_new_energy_is_tied_to_its_cluster(facts: Facts) -> None:
    (tie,) = [row for row in facts.ties if row.object == "cluster-new-energy"]
    assert (tie.subject, tie.role) == ("shidaowan-nuclear-base", "lead")


def test_one_plus_four_plus_n_is_made_up_as_the_plan_says(facts: Facts) -> None:
    ties = [(row.role, row.subject) for row in facts.ties if "one-four-n" in (row.subject, row.object)]
    assert Counter(role for role, _ in ties) == {"lead": 1, "part": 4, "member": 1}
    assert ("lead", "industrial-technology-institute") in ties


def test_a_target_that_is_to_be_surpassed_says_so(facts: Facts) -> None:
    above = {row.id for row in facts.clusters.values() if row.target and row.target.comparator == ">"}
    assert above == {"cluster-wellness-tourism"}


def test_what_is_inferred_says_so_and_nothing_says_it_is_known(facts: Facts) -> None:
    inferred = [row for row in facts.platforms.values() if row.zone_basis == "inference"]
    assert [row.id for row in inferred if row.note is None or "推断" not in row.note.zh] == []
    reasons = {site.of: site.reason.zh for site in facts.sites if site.reason}
    assert [row.id for row in inferred if "已知" in reasons.get(row.id, "")] == []


def test_a_company_is_no_incubator_and_the_reactor_is_being_built(facts: Facts) -> None:
    assert facts.platforms["dishang-innovation-base"].kind == "company"
    assert facts.platforms["test-reactor"].status == "under-construction"


def test_body_and_platform_of_one_id_have_one_name(facts: Facts) -> None:
    for shared in facts.agencies.keys() & facts.platforms.keys():
        agency, platform = facts.agencies[shared].name, facts.platforms[shared].name
        assert platform.en.startswith(agency.en)
        assert platform.ko.startswith(agency.ko)


def test_no_note_denies_what_the_plan_prints(facts: Facts) -> None:
    """An industry that the clusters are said not to name has no term in their clauses, and the like."""
    listed = {one for row in facts.designations for one in row.industries}
    for row in facts.industries.values():
        note = row.note.zh if row.note else ""
        in_clusters = {named.term.zh for named in row.named if named.clause.startswith("三(六)4")}
        if "没有点名" in note:
            assert (row.id, in_clusters, row.cluster) == (row.id, set(), None)
        if "没有区域以它为指定产业" in note:
            assert row.id not in listed
    places: list[Zone | Area] = [*facts.zones.values(), *facts.areas.values()]
    named = {row.zone for row in facts.designations}
    assert [place.id for place in places if place.no_industries and place.id in named] == []
