"""What a mask hides stays hidden, whatever is typed."""

from hypothesis import given
from hypothesis import strategies as st

from service.kit.masking import mask_email, mask_name, mask_phone

digits = st.text("0123456789", min_size=0, max_size=20)


@given(number=digits, separators=st.lists(st.sampled_from(["", " ", "-", "(", "转"]), min_size=21, max_size=21))
def test_a_phone_keeps_seven_digits_at_most_and_hides_four_at_least(number: str, separators: list[str]) -> None:
    written = "".join(separator + digit for separator, digit in zip(separators, number, strict=False))
    shown = [character for character in mask_phone(written) if character.isdigit()]
    assert mask_phone(written) == mask_phone(number)
    assert len(shown) <= 7
    assert len(number) - len(shown) >= 4 or not shown
    assert "****" in mask_phone(written)


@given(name=st.text("王小明 Aé\u3000", max_size=30))
def test_a_name_keeps_one_character_and_its_length_to_itself(name: str) -> None:
    masked = mask_name(name)
    assert len(masked) == (3 if len(name.strip()) > 1 else 2)
    assert masked.endswith("**")
    assert masked[:-2] == name.strip()[:1] or len(name.strip()) < 2


@given(local=st.text("abc.+", min_size=2, max_size=20), domain=st.sampled_from(["example.test", "a.example.test"]))
def test_an_address_keeps_its_domain_and_one_character(local: str, domain: str) -> None:
    assert mask_email(f"{local}@{domain}") == f"{local[0]}***@{domain}"


@given(text=st.text(max_size=30))
def test_whatever_is_no_address_is_hidden_whole(text: str) -> None:
    if "@" not in text:
        assert mask_email(text) == "***"
