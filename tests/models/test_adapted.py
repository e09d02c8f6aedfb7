import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import nn
from transformers import ViTConfig, ViTForImageClassification

from paper_utils.errors import CompanionError
from paper_utils.models.adapted import adapt
from paper_utils.models.families import family_of
from tests.classifiers import CLASSES, CLASSIFIERS, NAMES, READ_CLS, classifier, close
from tests.families import KINDS, config_of, new_model


@pytest.fixture(params=NAMES)
def case(request):
    return classifier(request.param)


@pytest.fixture
def vit():
    return classifier("ViTForImageClassification").model


def with_lora(model):
    """The model with LoRA whose weights are not zero."""
    wrapped = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj", "v_proj"]))
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, parameter in wrapped.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0, 0.3, generator=generator)
    return wrapped.eval()


def stream_after_last_layer(plain, images):
    seen = {}
    hook = plain.layers[-1].register_forward_hook(lambda module, inputs, output: seen.update(x=output))
    plain.run(images)
    hook.remove()
    return seen["x"]


@torch.no_grad()
def test_outputs_are_the_models_own(case):
    """Oracle: the model by transformers alone."""
    images = case.images()
    expected = case.outputs(images)
    adapted = adapt(case.model)
    assert adapted.outputs == expected.shape[1] == CLASSES
    assert close(adapted(images), expected)
    assert close(adapted.read_out(stream_after_last_layer(case.plain, images)), expected)
    assert close(case.outputs(images), expected)  # the given model is left as it was


@pytest.mark.parametrize("name", NAMES)
def test_what_is_read_out_is_found(name):
    assert adapt(classifier(name).model).reads_cls == (name in READ_CLS)


@pytest.mark.parametrize("name", [name for name in NAMES if name in READ_CLS])
@torch.no_grad()
def test_cls_is_enough_where_it_alone_is_read(name):
    case = classifier(name)
    x = stream_after_last_layer(case.plain, case.images())
    adapted = adapt(case.model)
    assert close(adapted.read_out(x[:, :1]), adapted.read_out(x))


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_a_head_gets_what_the_family_reads_out(kind):
    vit = new_model(kind, **({"mask_ratio": 0.0} if kind == "vit_mae" else {}))
    head = nn.Linear(24, 2)
    adapted = adapt(vit, head=head)
    images = torch.rand(3, 3, vit.config.image_size, vit.config.image_size)
    assert close(adapted(images), head(family_of(vit).run(vit, images)))
    assert adapted.reads_cls == (kind != "siglip_vision_model")


@torch.no_grad()
def test_images_of_bytes_are_scaled(vit):
    images = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    assert close(adapt(vit)(images), vit(images / 255).logits)


@torch.no_grad()
def test_half_precision_becomes_float32(vit):
    images = torch.rand(2, 3, 64, 64)
    expected = vit.half().float()(images).logits
    assert close(adapt(vit.half())(images), expected)


@pytest.mark.parametrize("where", ["around the model", "around its backbone"])
@torch.no_grad()
def test_lora_is_merged(vit, where):
    wrapped = vit
    if where == "around the model":
        wrapped = with_lora(vit)
    else:
        vit.vit = with_lora(vit.vit)
    images = torch.rand(3, 3, 64, 64)
    expected = wrapped(images).logits
    with wrapped.disable_adapter() if wrapped is not vit else vit.vit.disable_adapter():
        assert not close(wrapped(images).logits, expected)
    adapted = adapt(wrapped)
    assert close(adapted(images), expected)
    assert not any("lora" in name for name, _ in adapted.named_parameters())


@torch.no_grad()
def test_one_output_for_an_image_is_a_column():
    class OneNumber(nn.Module):
        def __init__(self):
            super().__init__()
            self.vit = new_model("vit")

        def forward(self, images):
            return self.vit(images).last_hidden_state[:, 0].sum(-1)

    assert adapt(OneNumber()).outputs == 1


def without_numbers():
    model = classifier("ViTForImageClassification").model
    model.classifier.weight.data[0, 0] = float("nan")
    return model


def test_a_model_that_looks_at_its_tokens_is_adapted():
    class Careful(nn.Module):
        def __init__(self):
            super().__init__()
            self.vit = new_model("vit")

        def forward(self, images):
            hidden = self.vit(images).last_hidden_state
            if not hidden.isfinite().all():
                raise ValueError("no numbers")
            return hidden[:, 0]

    assert not adapt(Careful()).reads_cls  # cannot be found out


def test_outputs_of_a_backbone_have_names_whatever_its_config_says():
    vit = new_model("vit")
    vit.config.return_dict = False
    assert adapt(vit, head=nn.Linear(vit.config.hidden_size, 2)).outputs == 2


class Refused:
    """Models that cannot be adapted."""

    class ChangesImages(nn.Module):
        def __init__(self):
            super().__init__()
            self.vit = new_model("vit")

        def forward(self, images):
            return self.vit(2 * images - 1).last_hidden_state[:, 0]

    class ReadsImages(nn.Module):
        def __init__(self):
            super().__init__()
            self.vit = new_model("vit")

        def forward(self, images):
            return self.vit(images).last_hidden_state[:, 0] + images.mean((1, 2, 3))[:, None]

    class ReadsAnInnerLayer(nn.Module):
        def __init__(self):
            super().__init__()
            self.vit = new_model("vit")

        def forward(self, images):
            return self.vit(images, output_hidden_states=True).hidden_states[1][:, 0]

    class ReturnsTokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.vit = new_model("vit")

        def forward(self, images):
            return self.vit(images).last_hidden_state

    class HoldsTwo(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = new_model("vit"), new_model("vit")


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (lambda: nn.Linear(2, 2), "no backbone of a known family"),
        (lambda: new_model("vit"), "without outputs; give its head"),
        (Refused.HoldsTwo, r"2 backbones \(first, second\)"),
        (Refused.ChangesImages, "changes images before"),
        (Refused.ReadsImages, "of something else than what its backbone returns"),
        (Refused.ReadsAnInnerLayer, "of something else than what its backbone returns"),
        (Refused.ReturnsTokens, r"returns \(2, 17, 24\)"),
        (lambda: ViTForImageClassification(ViTConfig(image_size=[32, 64])), "no square grid"),
        (without_numbers, "ViTForImageClassification makes no numbers of images of noise; check its weights"),
        (lambda: None, "the model is None, no module of torch; load it first"),
        (lambda: "google/vit-base", "the model is 'google/vit-base', no module of torch; load it first"),
        (lambda: {"weight": torch.zeros(900, 900)}, "the model is {.*no module of torch"),
        (lambda: classifier("ViTForImageClassification").model.to("meta"), "is on the device meta, without values"),
        (
            lambda: ViTForImageClassification(ViTConfig(num_channels=1, num_hidden_layers=1)),
            r"fails on images \(2, 3, 224, 224\) \(.*channel.*\); give a module whose forward takes images alone",
        ),
    ],
)
def test_what_cannot_be_adapted_is_refused_in_one_line(model, said):
    with pytest.raises(CompanionError, match=said) as error:
        adapt(model())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (3, "the head is 3, no module of torch"),
        (
            nn.Linear(25, 2),
            r"^ViTModel fails on images .* \(mat1 and mat2 shapes .*\); give .* a head that fits its backbone",
        ),
        (nn.Linear(24, 2, device="meta"), "head.weight of the model is on the device meta"),
    ],
)
def test_heads_that_do_not_fit_are_refused(head, said):
    with pytest.raises(CompanionError, match=said):
        adapt(new_model("vit"), head=head)


def test_every_classifier_of_the_families_is_tried():
    import transformers

    known = {config_of(kind).model_type: type(config_of(kind)) for kind in KINDS}
    joint = {transformers.CLIPConfig, transformers.SiglipConfig}
    mapping = transformers.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING
    found = set()
    for config in {*known.values(), *joint} & set(mapping.keys()):
        classes = mapping[config]
        found |= {one.__name__ for one in (classes if isinstance(classes, tuple) else (classes,))}
    assert found
    assert found <= set(CLASSIFIERS)
