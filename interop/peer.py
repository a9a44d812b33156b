# PyMODM's side of each step: peer.py STEP DATABASE CASES [CHANGES]; peer.lua is modm's side.
# What a step prints must be the same on both sides; what it writes is compared by interop/run.
import datetime
import io
import os
import sys
import zlib

import pymodm
from bson.son import SON
from gridfs import GridIn
from pymodm.errors import OperationError, ValidationError
from pymodm.files import File
from pymongo import MongoClient

import models
from view import show, show_value, text


def uri(database):
    hosts, _, options = os.environ['MODM_TEST_URI'].partition('?')
    return hosts.rsplit('/', 1)[0] + '/' + database + '?' + options


def cases(name):
    client = MongoClient(os.environ['MODM_TEST_URI'], document_class=SON)
    return [row['case'] for row in client[sys.argv[3]][name].find().sort('_id', 1)]


def build(value, saved):
    """A value of the cases, with what its markers stand for."""
    if isinstance(value, list):
        return [build(item, saved) for item in value]
    if isinstance(value, dict):
        if '@saved' in value:
            return saved[value['@saved']]
        if '@date' in value:
            return datetime.datetime(*value['@date'])
        if '@embedded' in value:
            given = {k: build(v, saved) for k, v in value.items() if k != '@embedded'}
            return getattr(models, value['@embedded'])(**given)
    return value


def write():
    saved = {}
    for case in cases('documents'):
        values = {name: build(value, saved) for name, value in case['values'].items()}
        instance = getattr(models, case['model'])(*case.get('positions', []), **values)
        try:
            saved[case['label']] = instance.save()
        except ValidationError as error:
            print(case['label'], 'is refused:', error)


def everything():
    """All documents, each model's own."""
    for name, model in sorted(vars(models).items()):
        if not hasattr(model, 'objects'):  # an embedded model, or no model
            continue
        own = {} if model._mongometa.final else {'_cls': 'models.' + name}
        yield from model.objects.raw(own).order_by([('_id', 1)])


def view():
    for instance in everything():
        instance.full_clean()
        show(instance)


def resave():
    for instance in everything():
        instance.save()


def found(case):
    return getattr(models, case['model']).objects.get({'_id': case['pk']})


def inner(value, name):
    if name.isdigit():
        return value[int(name)]
    return value[name] if isinstance(value, dict) else getattr(value, name)


def change():
    for case in cases(sys.argv[4] if len(sys.argv) > 4 else 'changes'):
        instance = found(case)
        for path, value in case.get('set', {}).items():
            *parts, last = path.split('.')
            target = instance
            for part in parts:
                target = inner(target, part)
            value = build(value, {})
            if last.isdigit():
                target[int(last)] = value
            elif isinstance(target, dict):
                target[last] = value
            else:
                setattr(target, last, value)
        for path, value in case.get('push', {}).items():
            target = instance
            for part in path.split('.'):
                target = inner(target, part)
            target.append(build(value, {}))
        for name in case.get('unset', []):
            delattr(instance, name)
        instance.save()


def delete():
    for case in cases('deletes'):
        try:
            found(case).delete()
            print(case['model'], case['pk'], 'deleted')
        except OperationError:
            print(case['model'], case['pk'], 'denied')


def query():
    for n, case in enumerate(cases('queries')):
        matching = getattr(models, case['model']).objects.raw(case['raw'])
        if 'order_by' in case:
            matching = matching.order_by([tuple(pair) for pair in case['order_by']])
        for step in ('skip', 'limit'):
            if step in case:
                matching = getattr(matching, step)(case[step])
        for step in ('only', 'exclude'):
            if step in case:
                matching = getattr(matching, step)(*case[step])
        print('query', n, case['model'], 'counts', matching.count())
        if 'aggregate' in case:
            for document in matching.aggregate(*case['aggregate']):
                show_value('', document)
        elif case.get('values'):
            for document in matching.values():
                show_value('', document)
        else:
            for instance in matching:
                show(instance)


def index():
    models.Indexed.objects.count()


def probe():
    values = cases('values')
    for name, field in models.PROBES.items():
        attributes = {'key': models.fields.CharField(primary_key=True), 'x': field,
                      '__module__': 'models',
                      'Meta': type('Meta', (), {'final': True, 'collection_name': 'probe'})}
        model = type('Probe', (pymodm.MongoModel,), attributes)
        for case in values:
            try:
                model(key=name + ' <- ' + case['name'], x=build(case['value'], {})).save()
            except Exception:  # what PyMODM and the driver raise is of many kinds
                pass


def generate():
    for n in range(5):
        models.Note(text='PyMODM %d' % n, count=n).save()
    models.Note.objects.bulk_create([models.Note(text='many', count=n) for n in range(5)])


def put(case, content):
    """A file with what PyMODM's own storage has no way to say; the field takes its id."""
    options = {'filename': case['name'], 'encoding': 'utf8'}
    for name in ('metadata', 'content_type', 'chunk_size'):
        if name in case:
            options[name] = case[name]
    file = GridIn(models.Folder.objects.first().file.storage.gridfs._collection, **options)
    file.write(content)
    file.close()
    return file._id


def store():
    for case in cases('files'):
        content = case['bytes'] * case['times']
        if 'content_type' in case or 'chunk_size' in case:
            file = put(case, content)
        else:
            file = File(io.BytesIO(content), case['name'], case.get('metadata'))
        models.Folder(name=case['name'], **{case['field']: file}).save()


def refile():
    for case in cases('file_changes'):
        folder = models.Folder.objects.get({'_id': case['name']})
        getattr(folder, case['field']).delete()
        if 'bytes' in case:
            file = File(io.BytesIO(case['bytes']), case['name'], case.get('metadata'))
            setattr(folder, case['field'], file)
        folder.save()


def files():
    for folder in models.Folder.objects.order_by([('_id', 1)]):
        folder.full_clean()
        for name in ('file', 'image'):
            file = getattr(folder, name)
            if not file:
                continue
            file.seek(0)  # validating an image read its head
            content = file.read()
            print(name, text(file.filename), file.length, file.chunk_size, file.content_type,
                  len(content), zlib.adler32(content))
            show_value('metadata', file.metadata)
            if name == 'image':
                print(file.format, file.width, file.height)


pymodm.connect(uri(sys.argv[2]))
globals()[sys.argv[1]]()
